"""What a supervisor and its workers tell each other."""

import json
import os
from dataclasses import asdict, dataclass

# A worker ends with it when the study's database is gone in the middle of a trial.
EXIT_DATABASE = 75
_ENVIRONMENT_KEY = "CAPTCHA_EXP_WORKER"


@dataclass(frozen=True)
class WorkerOrder:
    """What the supervisor tells a worker through its environment.

    `threads` is for TensorFlow; None leaves the configuration's. `since` is the first trial number of this start.
    """

    number: int
    threads: int | None
    since: int

    def to_environment(self) -> dict[str, str]:
        """For the environment of the worker's process."""
        return {_ENVIRONMENT_KEY: json.dumps(asdict(self))}

    @classmethod
    def from_environment(cls) -> "WorkerOrder | None":
        """The order of this process; None where it is no worker."""
        text = os.environ.get(_ENVIRONMENT_KEY)
        return None if text is None else cls(**json.loads(text))

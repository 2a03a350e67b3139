"""What a run is to the sweep that asked for it."""

from dataclasses import dataclass
from typing import Any, Literal, Protocol


class TrialHandle(Protocol):
    """What a run needs to know about the trial of a sweep that it is."""

    @property
    def name(self) -> str:
        """Name of the run, like `trial-0007`."""
        ...

    @property
    def tags(self) -> dict[str, str]:
        """Tags that tell which sweep and trial the run is."""
        ...

    @property
    def searched(self) -> dict[str, Any]:
        """The values that the sweep chose, by key; a group's is the name of its option."""
        ...

    @property
    def parent_run_id(self) -> str | None:
        """The sweep's own run."""
        ...

    def report(self, epoch: int, metrics: dict[str, float]) -> bool:
        """Take an epoch's metrics, `epoch` counting from 0; True if the trial should be pruned."""
        ...


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    `metrics` has `best/val/...` and `best/epoch` of the epoch that was kept, `model/parameters`, `seconds/<stage>`,
    and of a finished run `latency_ms`.
    """

    state: Literal["finished", "pruned"]
    metrics: dict[str, float]
    run_id: str
    reason: str | None

"""The interface between a run and the sweep that started it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol


class TrialHandle(Protocol):
    """What a run needs to know about its trial in a sweep."""

    @property
    def name(self) -> str:
        """Name of the run, like `trial-0007`."""
        ...

    @property
    def tags(self) -> dict[str, str]:
        """Tags that name the sweep and the trial."""
        ...

    @property
    def searched(self) -> dict[str, Any]:
        """The values that the sweep chose, by key. For a group, the value is the name of its option."""
        ...

    @property
    def parent_run_id(self) -> str | None:
        """The id of the sweep's own run."""
        ...

    @property
    def pause(self) -> "Pause | None":
        """What a run needs to know if a pruned trial may go on later; None if it may not."""
        ...

    @property
    def repeats(self) -> "Repeats | None":
        """What a run needs to know if the trial's value is the mean of several trainings; None if it is not."""
        ...

    def report(self, epoch: int, metrics: dict[str, float]) -> bool:
        """Take the metrics of an epoch, counted from 0. Return True if the trial should be pruned."""
        ...


class Pause(Protocol):
    """What a run needs to know about a trial that pauses and goes on."""

    @property
    def owner(self) -> str:
        """A name that tells its checkpoint from that of an equal trial."""
        ...

    @property
    def run_id(self) -> str | None:
        """The id of its run if it has paused before."""
        ...

    def keep(self, checkpoint: Path | None) -> None:
        """Take note of where the state of the paused trial is; None if it has no state."""
        ...


class Repeats(Protocol):
    """What a run needs to know about the trainings of one trial."""

    @property
    def count(self) -> int:
        """How many trainings there will be."""
        ...

    @property
    def done(self) -> list[dict[str, Any]]:
        """`run_id` and `metrics` of each training that has ended, also in a process that died."""
        ...

    def keep(self, run_id: str, metrics: dict[str, float]) -> bool:
        """Take note of a training that has ended. Return True if no more are needed."""
        ...


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    `metrics` has `best/val/...` and `best/epoch` of the epoch that was kept, `model/parameters`, `training/steps`,
    `seconds/<stage>`, and for a finished run also `latency_ms`.
    """

    state: Literal["finished", "pruned"]
    metrics: dict[str, float]
    run_id: str
    reason: str | None

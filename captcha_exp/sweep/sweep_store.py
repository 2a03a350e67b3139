"""What a sweep needs from the store of its runs."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol


class LoggedRun(Protocol):
    """A finished run: its params are texts, as a user types them."""

    @property
    def run_id(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def metrics(self) -> dict[str, float]: ...

    @property
    def tags(self) -> dict[str, str]: ...

    @property
    def params(self) -> dict[str, str]: ...


class SweepRecord(Protocol):
    """The run of the sweep itself, above those of its trials."""

    @property
    def run_id(self) -> str:
        """The id that the runs of the trials name as their parent."""
        ...

    @property
    def ui_hint(self) -> str:
        """One line that says how to look at the sweep."""
        ...

    def log_summary(self, metrics: Mapping[str, float] | None = None, tags: Mapping[str, str] | None = None) -> None:
        """Store a summary of the sweep."""

    def describe(self, text: str) -> None:
        """Show the Markdown `text` beside the sweep."""

    def offer_view(self, sweep_name: str, objective: str, keys: Sequence[str], *, maximize: bool) -> str:
        """Make a page that compares the trials by `objective` and the searched `keys`. Returns its address."""
        ...

    def log_files(self, paths: Iterable[Path]) -> None:
        """Keep copies of files."""

    def mark_infeasible(self, reasons: Mapping[str, str]) -> None:
        """Say of finished runs, by id, why they are no results."""

    def close_orphans(self, running: Collection[str]) -> list[str]:
        """End the runs of dead trials: all open runs except those named `running`."""
        ...

    def deliver(self, *, wait: bool) -> str | None:
        """Deliver what was kept on this machine while the store was away. Returns what is left, in one line.

        Args:
            wait: whether to wait for the store. Without, no later call waits either.
        """
        ...

    def end(self, *, interrupted: bool = False) -> None:
        """End the run."""

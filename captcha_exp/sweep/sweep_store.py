"""What a sweep asks of the store that keeps its runs, whichever that is."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol


class SweepRecord(Protocol):
    """The run of the sweep itself, above those of its trials."""

    @property
    def run_id(self) -> str:
        """What the runs of the trials name as their parent."""
        ...

    @property
    def ui_hint(self) -> str:
        """One line that tells how to look at the sweep."""
        ...

    def log_summary(self, metrics: Mapping[str, float] | None = None, tags: Mapping[str, str] | None = None) -> None:
        """Keep what sums the sweep up."""

    def describe(self, text: str) -> None:
        """Show `text`, in Markdown, to whoever looks at the sweep."""

    def offer_view(self, sweep_name: str, objective: str, keys: Sequence[str], *, maximize: bool) -> str:
        """Offer a comparison of the trials by `objective` and the searched `keys`; return its address."""
        ...

    def log_files(self, paths: Iterable[Path]) -> None:
        """Keep copies of files."""

    def close_orphans(self, running: Collection[str]) -> list[str]:
        """End the runs of trials that died, all but those named `running`."""
        ...

    def end(self, *, interrupted: bool = False) -> None:
        """End the run."""

"""The live table of a sweep: its progress, the running trials, and those that ended last."""

from collections.abc import Sequence

from optuna.trial import FrozenTrial
from rich.console import Console, Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from captcha_exp.foreign_text import visible
from captcha_exp.sweep.tally import Tally, TrialOutcome

_BAR_WIDTH = 24
_RECENT = 3
_STYLES = {
    TrialOutcome.finished: "green",
    TrialOutcome.infeasible: "yellow",
    TrialOutcome.pruned: "yellow",
    TrialOutcome.failed: "red",
}


def live_table(
    title: str, summary: str, share: tuple[int, int], running: Sequence[Sequence[str]], ended: Sequence[Sequence[str]]
) -> RenderableType:
    """What a terminal shows of a sweep while it runs.

    Args:
        title: which sweep.
        summary: its progress, in words.
        share: number of trials that ended, and number of all trials.
        running: trial, epoch, value, time and parameters of each running trial.
        ended: trial, outcome, value, time and parameters of those that ended last, the latest first.
    """
    head = Table.grid(padding=(0, 2))
    head.add_row(cell(title, "bold"), ProgressBar(total=share[1], completed=share[0], width=_BAR_WIDTH))
    table = Table("trial", "epoch", "value", "time", "parameters", box=None, header_style="dim", padding=(0, 2, 0, 0))
    for row in running:
        table.add_row(*map(cell, row))
    for number, outcome, *rest in ended:
        style = _STYLES[TrialOutcome[outcome]]
        table.add_row(cell(number, "dim"), cell(outcome, style), *[cell(text, "dim") for text in rest])
    return Group(head, cell(summary), table) if table.row_count else Group(head, cell(summary))


def cell(text: str, style: str = "") -> Text:
    """A text for a table. Rich would read a plain string as markup, and it could hold terminal escapes."""
    return Text(visible(text), style=style)


def tell(console: Console, line: str) -> None:
    """Print one line above the live table."""
    console.print(cell(line), highlight=False, soft_wrap=True)


def last_ended(tally: Tally) -> list[FrozenTrial]:
    """The trials that ended last, the latest first."""
    timed = [(trial.datetime_complete, trial) for trial in tally.ended if trial.datetime_complete is not None]
    return [trial for _, trial in sorted(timed, key=lambda pair: pair[0], reverse=True)][:_RECENT]


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """The last part of each dotted key, or the whole key if two keys have the same last part."""
    lasts = [key.rpartition(".")[2] for key in keys]
    return {key: last if lasts.count(last) == 1 else key for key, last in zip(keys, lasts, strict=True)}

"""The live table of a sweep: how far it is, what runs, what ended last."""

from collections.abc import Sequence

from optuna.trial import FrozenTrial
from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from captcha_exp.sweep.tally import Tally, TrialOutcome

_BAR_WIDTH = 24
_RECENT = 3
_STYLES = {TrialOutcome.finished: "green", TrialOutcome.pruned: "yellow", TrialOutcome.failed: "red"}


def live_table(
    title: str, summary: str, share: tuple[int, int], running: Sequence[Sequence[str]], ended: Sequence[Sequence[str]]
) -> RenderableType:
    """What a terminal shows of a sweep while it runs.

    Args:
        title: which sweep.
        summary: how far it is, in words.
        share: trials that ended, of how many.
        running: trial, epoch, value, time and parameters of each running trial.
        ended: trial, outcome, value, time and parameters of those that ended last, the latest first.
    """
    head = Table.grid(padding=(0, 2))
    head.add_row(Text(title, style="bold"), ProgressBar(total=share[1], completed=share[0], width=_BAR_WIDTH))
    table = Table("trial", "epoch", "value", "time", "parameters", box=None, header_style="dim", padding=(0, 2, 0, 0))
    for row in running:
        table.add_row(*row)
    for number, outcome, *rest in ended:
        style = _STYLES[TrialOutcome[outcome]]
        table.add_row(
            Text(number, style="dim"), Text(outcome, style=style), *[Text(text, style="dim") for text in rest]
        )
    return Group(head, Text(summary), table) if table.row_count else Group(head, Text(summary))


def last_ended(tally: Tally) -> list[FrozenTrial]:
    """The trials that ended last, the latest first."""
    timed = [(trial.datetime_complete, trial) for trial in tally.ended if trial.datetime_complete is not None]
    return [trial for _, trial in sorted(timed, key=lambda pair: pair[0], reverse=True)][:_RECENT]


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """The last part of each dotted key, or the whole where two would be called the same."""
    lasts = [key.rpartition(".")[2] for key in keys]
    return {key: last if lasts.count(last) == 1 else key for key, last in zip(keys, lasts, strict=True)}

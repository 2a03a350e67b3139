"""How the best trials learnt."""

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from captcha_exp.report.charts.svg_style import AREA, FAINT, SERIES, Chart, plain, short, value_formatter
from captcha_exp.report.sweep_facts import EPOCH_ACCURACY, EPOCH_LOSS, SweepFacts


def accuracy_curves(facts: SweepFacts, name: str) -> Markup:
    """Validation accuracy over epochs: the best trials in colours, the others faint."""
    chart = Chart(name, 440, 290, "validation accuracy over epochs")
    axes = chart.figure.add_axes(AREA)
    if facts.metric == f"best/{EPOCH_ACCURACY}":
        for trial in facts.sweep.trials:
            if trial.number not in facts.curves and trial.curve:
                line = axes.plot(*_points(trial.curve), color=FAINT, linewidth=0.9, alpha=0.55, zorder=2)[0]
                chart.tip(line, f"{trial.name}: {trial.outcome.name} after epoch {trial.epochs}")
    _best(chart, axes, facts, EPOCH_ACCURACY)
    plain(axes, "epoch", "validation texts read right")
    axes.yaxis.set_major_formatter(value_formatter(EPOCH_ACCURACY))
    _legend(axes)
    return chart.svg()


def loss_curves(facts: SweepFacts, name: str) -> Markup:
    """Validation loss of the best trials over epochs."""
    chart = Chart(name, 440, 290, "validation loss over epochs")
    axes = chart.figure.add_axes(AREA)
    _best(chart, axes, facts, EPOCH_LOSS)
    plain(axes, "epoch", "validation CTC loss")
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    axes.yaxis.set_minor_formatter(NullFormatter())
    _legend(axes)
    return chart.svg()


def _best(chart: Chart, axes: Axes, facts: SweepFacts, metric: str) -> None:
    for (number, curves), colour in zip(facts.curves.items(), SERIES, strict=False):
        if metric in curves:
            line = axes.plot(*_points(curves[metric]), color=colour, linewidth=1.9, label=f"{number}", zorder=4)[0]
            chart.tip(line, f"trial {number}")
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))


def _legend(axes: Axes) -> None:
    axes.legend(loc="best", title="trial", alignment="left", handlelength=1.2)


def _points(curve: dict[int, float]) -> tuple[list[int], list[float]]:
    return list(curve), list(curve.values())

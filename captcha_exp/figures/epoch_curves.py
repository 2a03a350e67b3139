"""Learning curves of one run."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from captcha_exp.figures.figure_style import BLUE, FAINT, INK, ORANGE, new_figure, plain_axes

_SHORT = FuncFormatter(lambda value, _: f"{value:g}")


def learning_curves(history: Sequence[Mapping[str, float]], best_epoch: int | None = None) -> Figure:
    """Draw loss, accuracy, character error rate and learning rate over epochs.

    Args:
        history: the metrics of each epoch, in order; at least one epoch.
        best_epoch: index of the epoch whose weights were kept. Every panel marks it.
    """
    figure = new_figure(10, 6.2)
    (loss, accuracy), (errors, rate) = figure.subplots(2, 2, sharex=True)
    _draw(loss, history, {"training": "train/ctc_loss", "validation": "val/ctc_loss"})
    _choose_scale(loss, [epoch[key] for epoch in history for key in ("train/ctc_loss", "val/ctc_loss")])
    plain_axes(loss, "CTC loss")
    _draw(
        accuracy,
        history,
        {"case kept": "val/sequence_accuracy", "case ignored": "val/sequence_accuracy_ignore_case"},
    )
    accuracy.set_ylim(-0.02, 1.02)
    accuracy.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    plain_axes(accuracy, "Validation texts read right")
    _draw(errors, history, {"": "val/character_error_rate"})
    errors.set_ylim(bottom=0)
    errors.yaxis.set_major_formatter(PercentFormatter(1.0))
    plain_axes(errors, "Validation character error rate")
    _draw(rate, history, {"": "learning_rate"})
    rate.set_ylim(bottom=0)
    rate.yaxis.set_major_formatter(_SHORT)
    plain_axes(rate, "Learning rate")
    for axes in (errors, rate):
        axes.set_xlabel("epoch", fontsize=9, color=INK)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    if best_epoch is not None:
        _mark(figure, best_epoch + 1, history[best_epoch]["val/sequence_accuracy"])
    figure.tight_layout(h_pad=2, w_pad=2.5)
    return figure


def _draw(axes: Axes, history: Sequence[Mapping[str, float]], series: Mapping[str, str]) -> None:
    epochs = range(1, len(history) + 1)
    marker = "o" if len(history) <= 30 else None
    # Draw the second curve below the first. If they are equal, the first stays visible.
    for (name, key), colour, order in zip(series.items(), (BLUE, ORANGE), (3, 2), strict=False):
        values = [epoch[key] for epoch in history]
        axes.plot(epochs, values, color=colour, label=name, marker=marker, markersize=3.5, linewidth=1.8, zorder=order)
    if len(series) > 1:
        axes.legend(frameon=False, fontsize=9, labelcolor=INK)


def _choose_scale(axes: Axes, values: Sequence[float]) -> None:
    """Use a logarithmic scale if the values span more than a power of ten, as a falling loss does."""
    if min(values) > 0 and max(values) > 10 * min(values):
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=min(0, *values), top=max(values) * 1.05 or 1)
    axes.yaxis.set_major_formatter(_SHORT)


def _mark(figure: Figure, epoch: int, accuracy: float) -> None:
    for axes in figure.axes:
        axes.axvline(epoch, color=FAINT, linestyle=(0, (4, 3)), linewidth=1, zorder=1)
    figure.suptitle(f"Epoch {epoch} was kept: {accuracy:.2%} of validation texts right", fontsize=12, color=INK)

"""Says what more time would probably bring, and what to try instead."""

from collections.abc import Mapping, Sequence
from typing import cast

from captcha_exp.config import TrainingConfig
from captcha_exp.metrics.accuracy import standard_error

_ACCURACY, _LOSS = "val/sequence_accuracy", "val/ctc_loss"
_FEWEST_EPOCHS = 5
# A validation loss that falls by less than this share in the last fifth of the epochs says nothing.
_FALL = 0.05
# Of the sets in docs/figures.md, random weights read the easy ones better than this, and the hard one far worse.
_ENOUGH = 0.95


def outlook(history: Sequence[Mapping[str, float]], training: TrainingConfig, images: int) -> str | None:
    """Say whether a longer training would probably be better, or a shorter one as good. None if nothing can be told.

    Accuracies that differ by less than a standard error count as equal. While nothing is read, the loss decides.

    Args:
        history: metrics of each epoch of a training that used all its time.
        training: tells the time.
        images: number of validation images.
    """
    if len(history) < _FEWEST_EPOCHS or _ACCURACY not in history[0]:
        return None
    late = len(history) - max(1, len(history) // 5)
    if _is_rising(history, late, images):
        return f"validation was still rising at the end: more time would probably help ({_doubled(training)})"
    best = max(metrics[_ACCURACY] for metrics in history)
    enough = next(at for at, metrics in enumerate(history) if best - metrics[_ACCURACY] <= standard_error(best, images))
    if best > 0 and enough + 1 <= len(history) // 2:
        return f"validation hardly rose after epoch {enough + 1} of {len(history)}: more time would probably not help"
    return None


def advice(best: float, training: TrainingConfig) -> str | None:
    """Say what to try where a training reads too few texts. None if it reads enough, or the most is done already.

    Args:
        best: the highest validation sequence accuracy.
        training: tells where the training started, and how many views the model reads.
    """
    if best >= _ENOUGH:
        return None
    few = f"fewer than {_ENOUGH:.0%} of the validation texts are right"
    if training.initial_model is None:
        return (
            f"{few}: +experiment=pretrained starts from weights that come with the package, sees colour, and reads "
            "hard images better"
        )
    if training.views == 1:
        return f"{few}: +experiment=hard trains longer and reads six views of each image"
    return None


def _is_rising(history: Sequence[Mapping[str, float]], late: int, images: int) -> bool:
    """Tell whether the epochs from `late` on are better than those before, by more than chance."""
    before, after = (max(metrics[_ACCURACY] for metrics in part) for part in (history[:late], history[late:]))
    if after > 0:
        return after - before > standard_error(after, images)
    before, after = (min(metrics[_LOSS] for metrics in part) for part in (history[:late], history[late:]))
    return after < before * (1 - _FALL)


def _doubled(training: TrainingConfig) -> str:
    if training.epochs is not None:
        return f"training.epochs={2 * training.epochs}"
    return f"training.minutes={2 * cast(float, training.minutes):g}"  # a run without both chooses its epochs

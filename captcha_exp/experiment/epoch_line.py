"""Says in one line what an epoch brought, or a training."""

from collections.abc import Mapping

from captcha_exp.config import TrainingConfig

# A metric that every epoch has.
EVERY_EPOCH = "train/ctc_loss"


def epoch_line(epoch: int, training: TrainingConfig, metrics: Mapping[str, float]) -> str:
    """The line of an epoch, counted from 1: where the training stands, its losses and its speed."""
    validation = ""
    if "val/ctc_loss" in metrics:
        validation = f"validation {metrics['val/ctc_loss']:.4f}, {metrics['val/sequence_accuracy']:.2%} right  "
    return (
        f"{_place(epoch, training, metrics)}  loss {metrics[EVERY_EPOCH]:.4f}  {validation}"
        f"{metrics['images_per_second']:.0f} images/s"
    )


def _place(epoch: int, training: TrainingConfig, metrics: Mapping[str, float]) -> str:
    if training.minutes is not None:
        return f"epoch {epoch}, {metrics['minutes']:.1f}/{training.minutes:g} min"
    return f"epoch {epoch:{len(str(training.epochs))}}/{training.epochs}"


def right(accuracy: float) -> str:
    """A validation sequence accuracy in words."""
    return f"{100 * accuracy:.2f}% of the validation texts right"

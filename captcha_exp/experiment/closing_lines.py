"""What a run says at its end about its training: that it learnt nothing, or what would help."""

from typing import TYPE_CHECKING

from captcha_exp.config import TrainingConfig
from captcha_exp.config.nothing_learnt import nothing_learnt

if TYPE_CHECKING:
    from captcha_exp.model.evaluator import Evaluation
    from captcha_exp.training import FitResult


def closing_lines(result: "FitResult", training: TrainingConfig, validation_images: int) -> list[str]:
    """The lines after a training.

    Args:
        result: what the training gave.
        training: its settings.
        validation_images: how many images judged it.
    """
    from captcha_exp.training import advice, outlook

    lines = []
    if result.stopped is None and training.unlabelled is None:  # the rounds of self-training are not one curve
        lines.append(outlook(result.history, training, validation_images))
    if result.best is not None and result.stopped != "pruned":
        lines.append(advice(result.best.metrics["sequence_accuracy"], training))
    if result.best is not None and result.history and reads_nothing(result.best):
        lines = [nothing_learnt("the model reads the same in every image", len(result.history), result.steps)]
    return [line for line in lines if line is not None]


def reads_nothing(best: "Evaluation") -> bool:
    """Whether the model reads one text in all images, empty or not, although their labels differ."""
    return len(set(best.predictions)) == 1 < len(set(best.labels))

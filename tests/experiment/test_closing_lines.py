"""A run that learnt nothing says so, and what to do."""

from collections.abc import Callable

import pytest

from captcha_exp.config import Config
from captcha_exp.experiment.closing_lines import closing_lines
from captcha_exp.model.evaluator import Evaluation
from captcha_exp.training import FitResult, outlook


def result(*predictions: str, stopped: str | None = None) -> FitResult:
    labels = ["12", "34", "56"][: len(predictions)]
    right = sum(label == text for label, text in zip(labels, predictions, strict=True))
    metrics = {"sequence_accuracy": right / len(labels)}
    history = [{"val/sequence_accuracy": metrics["sequence_accuracy"], "val/ctc_loss": 9.0}] * 2
    return FitResult(
        history, 0, Evaluation(metrics, labels, list(predictions), [0.5] * len(labels)), stopped, 1.0, 1234
    )


@pytest.mark.parametrize("text", ["", "12"])
def test_a_model_that_reads_the_same_everywhere_learnt_nothing(text: str, compose: Callable[..., Config]) -> None:
    """It ended like any other run: "best: epoch 1, 0.00% of the validation texts right"."""
    (line,) = closing_lines(result(text, text, text), compose().training, 3)
    assert line.startswith("nothing was learnt: the model reads the same in every image (after 2 epochs, 1,234 steps).")
    for key in ("training.epochs=", "dataset.image_height=", "dataset.image_width=", "+experiment=pretrained"):
        assert key in line


def test_a_model_that_reads_different_texts_learnt_something(compose: Callable[..., Config]) -> None:
    lines = closing_lines(result("12", "3", "6"), compose().training, 3)
    assert len(lines) == 1 and lines[0].startswith("fewer than 95% of the validation texts are right")
    assert closing_lines(result("12"), compose("+experiment=hard").training, 1) == [], "one image tells nothing"


def test_a_run_says_what_more_time_would_bring_unless_it_was_ended_early(compose: Callable[..., Config]) -> None:
    training = compose("training.epochs=3").training
    history = [{"val/sequence_accuracy": epoch / 10, "val/ctc_loss": 1.0} for epoch in range(8)]
    for stopped in ("patience", None):
        lines = closing_lines(FitResult(history, 7, None, stopped, 1.0), training, 90)
        assert lines == ([] if stopped else [outlook(history, training, 90)])
    assert lines[-1].endswith("(training.epochs=6)")


def test_the_rounds_of_self_training_are_not_taken_for_one_curve(compose: Callable[..., Config]) -> None:
    history = [{"val/sequence_accuracy": epoch / 10, "val/ctc_loss": 1.0} for epoch in range(8)]
    training = compose("training.unlabelled=images").training
    assert closing_lines(FitResult(history, 7, None, None, 1.0), training, 90) == []

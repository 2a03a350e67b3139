"""What a training says about more time."""

from collections.abc import Callable

import pytest

from captcha_exp.config import Config, TrainingConfig
from captcha_exp.training import advice, outlook

RISING = "validation was still rising at the end: more time would probably help ({})"


@pytest.fixture
def training(compose: Callable[..., Config]) -> TrainingConfig:
    return compose().training


def history(*accuracies: float, loss: float = 1.0) -> list[dict[str, float]]:
    return [{"val/sequence_accuracy": accuracy, "val/ctc_loss": loss} for accuracy in accuracies]


def test_a_rise_at_the_end_asks_for_twice_the_time(training: TrainingConfig, compose: Callable[..., Config]) -> None:
    rising = history(0.0, 0.1, 0.3, 0.5, 0.6, 0.7)
    assert outlook(rising, training, 200) == RISING.format("training.epochs=60")
    minutes = compose("training.epochs=null", "training.minutes=2.5").training
    assert outlook(rising, minutes, 200) == RISING.format("training.minutes=5")


def test_a_rise_within_chance_says_nothing(training: TrainingConfig) -> None:
    assert outlook(history(0.0, 0.1, 0.3, 0.5, 0.6, 0.7), training, 10) is None


def test_a_long_flat_end_says_that_more_time_would_not_help(training: TrainingConfig) -> None:
    told = outlook(history(0.2, 0.975, 0.965, 0.98, 0.975, 0.98, 0.97, 0.98), training, 200)
    assert told == "validation hardly rose after epoch 2 of 8: more time would probably not help"


def test_while_nothing_is_read_the_loss_decides(training: TrainingConfig) -> None:
    falling = [{"val/sequence_accuracy": 0.0, "val/ctc_loss": 20.0 - 2 * epoch} for epoch in range(6)]
    assert outlook(falling, training, 200) == RISING.format("training.epochs=60")
    assert outlook(history(*[0.0] * 6, loss=20.0), training, 200) is None


def test_nothing_is_said_of_a_few_epochs_or_without_validation(training: TrainingConfig) -> None:
    assert outlook(history(0.1, 0.5, 0.7, 0.9), training, 200) is None
    assert outlook([{"train/ctc_loss": 1.0}] * 9, training, 0) is None


def test_too_few_right_texts_after_random_weights_name_the_shipped_start(
    training: TrainingConfig, compose: Callable[..., Config]
) -> None:
    told = advice(0.6, training)
    assert told is not None and "+experiment=pretrained" in told
    assert advice(0.97, training) is None
    further = advice(0.6, compose("+experiment=pretrained").training)
    assert further is not None and "+experiment=hard" in further
    assert advice(0.6, compose("+experiment=hard").training) is None, "nothing more is known"

"""How many epochs a training gets that has neither epochs nor minutes."""

from collections.abc import Callable

import pytest

from captcha_exp.config import Config
from captcha_exp.experiment.long_enough import with_epochs

Compose = Callable[..., Config]
OPEN = ("training.epochs=null", "training.batch_size=64")


@pytest.mark.parametrize(("images", "epochs"), [(100_000, 20), (960, 20), (832, 24), (100, 150), (1, 300)])
def test_few_images_are_learnt_from_more_often(images: int, epochs: int, compose: Compose, told: list[str]) -> None:
    assert with_epochs(compose(*OPEN), images).training.epochs == epochs
    assert told == [f"{images} images: {epochs} epochs (training.epochs or training.minutes sets another length)"]


@pytest.mark.parametrize("length", ["training.epochs=3", "training.minutes=2"])
def test_what_the_user_says_holds(length: str, compose: Compose, told: list[str]) -> None:
    config = compose(*OPEN, length)
    assert with_epochs(config, 10) == config
    assert not told

"""Changes to training images that the user programmed."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from captcha_exp.config import Config
from captcha_exp.errors import InputError
from captcha_exp.training.own_augmentation import own_augmentation

OWN = """
import numpy as np


def salt(images, random, augmentation):
    return np.where(random.random(images.shape) < augmentation.options["share"], np.uint8(255), images)


def brighten(images, random, augmentation):
    return images / 255


def nothing(images, random, augmentation):
    images[:] = 0
"""
IMAGES = np.full((3, 8, 16), 100, np.uint8)


@pytest.fixture
def own(compose: Callable[..., Config], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., object]:
    (tmp_path / "own_changes.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)

    def build(name: str, seed: int = 0) -> object:
        config = compose(f"augmentation.function=own_changes:{name}", "+augmentation.options.share=0.5")
        return own_augmentation(config.augmentation, seed)

    return build


def test_without_a_function_images_stay_as_they_are(compose: Callable[..., Config]) -> None:
    assert own_augmentation(compose().augmentation, 0)(IMAGES, 0) is IMAGES


def test_seed_and_step_decide_everything_drawn(own: Callable[..., Callable[..., np.ndarray]]) -> None:
    altered = own("salt")(IMAGES, 3)
    assert 0.3 < (altered == 255).mean() < 0.7
    np.testing.assert_array_equal(altered, own("salt")(IMAGES, 3))
    assert (altered != own("salt")(IMAGES, 4)).any() and (altered != own("salt", seed=1)(IMAGES, 3)).any()


def test_images_in_colour_are_altered_as_they_lie(own: Callable[..., Callable[..., np.ndarray]]) -> None:
    colour = np.repeat(IMAGES[..., None], 3, axis=-1)
    altered = own("salt")(colour, 3)
    assert altered.shape == (3, 8, 16, 3) and 0.3 < (altered == 255).mean() < 0.7


@pytest.mark.parametrize(("name", "returned"), [("brighten", r"float64 \(3, 8, 16\)"), ("nothing", "None")])
def test_other_images_than_those_that_came_are_refused(name: str, returned: str, own: Callable[..., object]) -> None:
    message = rf"^augmentation\.function=own_changes:{name} must return uint8 \(3, 8, 16\), not {returned}\.$"
    with pytest.raises(InputError, match=message):
        own(name)(IMAGES.copy(), 0)  # type: ignore[operator]

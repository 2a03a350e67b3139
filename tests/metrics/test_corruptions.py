"""Images that were made worse."""

import numpy as np
import pytest

from captcha_exp.metrics.corruptions import CORRUPTIONS, STRENGTHS, corrupt
from captcha_exp.metrics.robustness import Robustness, drawn_rows


@pytest.fixture
def images() -> np.ndarray:
    """Dark strokes on light paper, each image others."""
    drawn = np.full((6, 24, 60), 220, np.uint8)
    for index, image in enumerate(drawn):
        image[6:18, 8 + index : 12 + index] = 30
        image[10:14, 20:50] = 60
    return drawn


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_each_strength_is_further_from_the_original(name: str, images: np.ndarray) -> None:
    before = images.copy()
    distances = []
    for strength in range(1, STRENGTHS + 1):
        worse = corrupt(images, name, strength, seed=0)
        assert (worse.dtype, worse.shape) == (np.dtype(np.uint8), images.shape)
        distances.append(float(np.abs(worse.astype(int) - images).mean()))
    assert min(distances) > 0
    if name != "scale":  # what shrinks may come to lie where it was dark before
        assert distances == sorted(distances)
    np.testing.assert_array_equal(images, before)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_the_same_seed_gives_the_same_pixels(name: str, images: np.ndarray) -> None:
    np.testing.assert_array_equal(corrupt(images, name, 3, 7), corrupt(images, name, 3, 7))


@pytest.mark.parametrize("name", ["noise", "brightness", "rotation", "occlusion"])
def test_another_seed_draws_otherwise(name: str, images: np.ndarray) -> None:
    assert any((corrupt(images, name, 4, 1) != corrupt(images, name, 4, seed)).any() for seed in (2, 3, 4))


def test_a_rotation_turns_about_the_middle_on_paper_of_the_borders_grey() -> None:
    image = np.full((1, 21, 21), 200, np.uint8)
    image[0, 10, 10] = 0
    turned = corrupt(image, "rotation", STRENGTHS, 0)
    assert turned[0, 10, 10] == 0
    assert turned[0, 0, 0] == 200


def test_an_occlusion_covers_its_share() -> None:
    image = np.zeros((1, 100, 200), np.uint8)
    image[0, 0, 0] = 255
    covered = corrupt(image, "occlusion", STRENGTHS, 0)
    assert (covered == 128).mean() == pytest.approx(CORRUPTIONS["occlusion"].levels[-1], rel=0.1)


def test_the_drop_is_what_the_alterations_cost_on_average() -> None:
    found = Robustness(10, 0.9, {"blur": [0.9, 0.7], "noise": [0.5, 0.1]})
    assert (found.mean, found.drop) == pytest.approx((0.55, 0.35))


def test_few_images_are_drawn_of_many() -> None:
    rows = drawn_rows(100, 10, seed=3)
    assert len(set(rows.tolist())) == 10 and rows.tolist() == sorted(rows.tolist())
    np.testing.assert_array_equal(rows, drawn_rows(100, 10, seed=3))
    np.testing.assert_array_equal(drawn_rows(5, 10, 0), np.arange(5))
    np.testing.assert_array_equal(drawn_rows(5, None, 0), np.arange(5))


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_colour_is_made_worse_as_grey_is(name: str, images: np.ndarray) -> None:
    colour = np.stack([images, images, 255 - images], axis=-1)
    worse = corrupt(colour, name, 3, 0)
    assert (worse.dtype, worse.shape) == (np.dtype(np.uint8), colour.shape)
    assert np.abs(worse.astype(int) - colour).mean() > 0
    if name not in {"noise", "jpeg", "occlusion"}:  # these alter what all channels are, or each by its own noise
        np.testing.assert_array_equal(worse[..., 0], corrupt(images, name, 3, 0))
        np.testing.assert_array_equal(worse[..., 0], worse[..., 1])
    assert (worse[..., 0] != worse[..., 2]).any()

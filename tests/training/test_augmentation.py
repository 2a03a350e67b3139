"""Changes to training images."""

from typing import Any

import numpy as np
import pytest

from captcha_exp.config import AugmentationConfig
from captcha_exp.training import augmentation
from captcha_exp.training.draws import Draws, draw

SEED = np.array([1, 2], np.int32)
NAMES = (
    "rotation_degrees",
    "shear_degrees",
    "scale",
    "translate",
    "brightness",
    "contrast",
    "noise_stddev",
    "erase_probability",
    "erase_share",
    "invert_probability",
    "perspective",
    "bend",
    "recolor_probability",
    "strokes",
    "stroke_width",
)


def augment(images: np.ndarray, seed: np.ndarray, bounds: AugmentationConfig) -> Any:
    return augmentation.augment(images, draw(seed, images.shape, bounds), bounds)


def only(**bounds: float) -> AugmentationConfig:
    return AugmentationConfig(**(dict.fromkeys(NAMES, 0.0) | bounds), function=None, options={})


@pytest.fixture
def images() -> np.ndarray:
    """Smooth, so that interpolation costs little: float32 (6, 24, 40, 1)."""
    rows, columns = np.mgrid[0:24, 0:40]
    waves = [0.5 + 0.3 * np.sin(rows / 5 + phase) * np.cos(columns / 7) for phase in range(6)]
    return np.stack(waves)[..., None].astype(np.float32)


ALL: dict[str, Any] = {
    "rotation_degrees": 5, "shear_degrees": 5, "scale": 0.1, "translate": 0.1, "brightness": 0.2, "contrast": 0.2,
    "noise_stddev": 0.05, "erase_probability": 0.5, "erase_share": 0.3,
    "invert_probability": 0.5, "perspective": 0.2, "bend": 0.1, "strokes": 3, "stroke_width": 0.1,
}  # fmt: skip


def test_without_bounds_images_stay_as_they_are(images: np.ndarray) -> None:
    assert augment(images, SEED, only()) is images


def test_the_seed_decides_everything(images: np.ndarray) -> None:
    first, again = (augment(images, SEED, only(**ALL)).numpy() for _ in range(2))
    other = augment(images, np.array([1, 3], np.int32), only(**ALL)).numpy()
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.05


@pytest.mark.parametrize(
    "name", [name for name in NAMES if not name.endswith(("share", "probability", "strokes", "width"))]
)
def test_each_bound_changes_each_image_in_its_own_way(images: np.ndarray, name: str) -> None:
    same = np.repeat(images[:1], 6, axis=0)
    changed = augment(same, SEED, only(**{name: ALL[name]})).numpy()
    assert changed.shape == same.shape
    assert changed.min() >= 0 and changed.max() <= 1
    assert np.abs(changed - same).max(axis=(1, 2, 3)).min() > 0
    assert np.abs(changed[1:] - changed[:-1]).max(axis=(1, 2, 3)).min() > 0


def test_moving_brings_no_colour_that_was_not_there() -> None:
    """A border that is filled with black would teach the model frames."""
    even = np.full((8, 24, 40, 1), 0.7, np.float32)
    moved = augment(even, SEED, only(rotation_degrees=20, shear_degrees=20, scale=0.3, translate=0.3)).numpy()
    np.testing.assert_allclose(moved, even, atol=1e-6)


def test_translation_stays_within_its_share(images: np.ndarray) -> None:
    dot = np.zeros((64, 21, 41, 1), np.float32)
    dot[:, 10, 20] = 1
    moved = augment(dot, SEED, only(translate=0.1)).numpy()[..., 0]
    rows, columns = np.mgrid[0:21, 0:41]
    weight = moved.sum(axis=(1, 2))
    row, column = ((moved * index).sum(axis=(1, 2)) / weight for index in (rows, columns))
    assert np.abs(row - 10).max() <= 2.1 + 1e-3
    assert np.abs(column - 20).max() <= 4.1 + 1e-3
    assert np.abs(column - 20).max() > 3


def test_rotation_and_scale_keep_the_centre() -> None:
    dot = np.zeros((16, 21, 41, 1), np.float32)
    dot[:, 9:12, 19:22] = 1
    turned = augment(dot, SEED, only(rotation_degrees=30, shear_degrees=10, scale=0.2)).numpy()
    np.testing.assert_allclose(turned[:, 10, 20, 0], 1, atol=1e-5)


def test_rotation_is_a_rotation() -> None:
    """Lengths stay: the spread of a bar about the centre is the same in every direction."""
    bar = np.zeros((32, 41, 41, 1), np.float32)
    bar[:, 20, 10:31] = 1
    turned = augment(bar, SEED, only(rotation_degrees=45)).numpy()[..., 0]
    rows, columns = np.mgrid[-20:21, -20:21]
    spread = (turned * (rows**2 + columns**2)).sum(axis=(1, 2)) / turned.sum(axis=(1, 2))
    np.testing.assert_allclose(spread, 110 / 3, rtol=0.06)
    tilted = np.abs((turned * rows * columns).sum(axis=(1, 2)))
    assert tilted.max() > 100


def test_brightness_stays_within_its_share(images: np.ndarray) -> None:
    change = augment(images, SEED, only(brightness=0.1)).numpy() - images
    assert np.abs(change).max() <= 0.1 + 1e-6
    np.testing.assert_allclose(change.std(axis=(1, 2, 3)), 0, atol=1e-6)


def test_contrast_keeps_the_mean(images: np.ndarray) -> None:
    changed = augment(images, SEED, only(contrast=0.3)).numpy()
    np.testing.assert_allclose(changed.mean(axis=(1, 2, 3)), images.mean(axis=(1, 2, 3)), atol=1e-5)


def test_noise_has_no_mean_and_at_most_the_given_deviation() -> None:
    even = np.full((64, 24, 40, 1), 0.5, np.float32)
    noise = augment(even, SEED, only(noise_stddev=0.1)).numpy() - even
    deviations = noise.std(axis=(1, 2, 3))
    assert deviations.max() == pytest.approx(0.1, rel=0.1)
    assert deviations.min() < 0.02
    assert abs(noise.mean()) < 1e-3


def test_erased_boxes_are_of_the_mean_grey_and_no_larger_than_their_share(images: np.ndarray) -> None:
    many = np.repeat(images, 30, axis=0)
    erased = augment(many, SEED, only(erase_probability=0.5, erase_share=0.5)).numpy()
    changed = (erased != many)[..., 0]
    touched = changed.any(axis=(1, 2))
    assert 0.3 < touched.mean() < 0.6
    assert changed.any(axis=2).sum(axis=1).max() <= 12
    assert changed.any(axis=1).sum(axis=1).max() <= 20
    means = np.broadcast_to(many.mean(axis=(1, 2, 3))[:, None, None], changed.shape)
    np.testing.assert_allclose(erased[..., 0][changed], means[changed], rtol=1e-5)


def test_some_images_are_inverted_and_the_others_stay(images: np.ndarray) -> None:
    many = np.repeat(images, 50, axis=0)
    changed = augment(many, SEED, only(invert_probability=0.3)).numpy()
    inverted = np.array([np.array_equal(after, 1 - before) for before, after in zip(many, changed, strict=True)])
    assert 0.2 < inverted.mean() < 0.4
    np.testing.assert_array_equal(changed[~inverted], many[~inverted])
    np.testing.assert_array_equal(augment(many, SEED, only(invert_probability=1)).numpy(), 1 - many)


def test_inversion_leaves_the_other_changes_as_they_are(images: np.ndarray) -> None:
    moved = only(rotation_degrees=10, translate=0.1)
    both = only(rotation_degrees=10, translate=0.1, invert_probability=1)
    np.testing.assert_allclose(augment(images, SEED, both).numpy(), 1 - augment(images, SEED, moved).numpy(), atol=1e-6)


def test_the_channels_of_a_pixel_stay_together(images: np.ndarray) -> None:
    """What is grey in all channels is altered as the grey image is, but for noise, strokes and rounding."""
    together = only(**(ALL | {"noise_stddev": 0, "strokes": 0}))
    colour = augment(np.repeat(images, 3, axis=-1), SEED, together).numpy()
    assert colour.shape == (6, 24, 40, 3)
    np.testing.assert_allclose(colour, np.repeat(augment(images, SEED, together).numpy(), 3, axis=-1), atol=1e-5)
    noisy = augment(np.full((6, 24, 40, 3), 0.5, np.float32), SEED, only(noise_stddev=0.1)).numpy()
    assert np.abs(noisy[..., 0] - noisy[..., 1]).max() > 0.05


def test_without_chances_nothing_is_changed(images: np.ndarray) -> None:
    """Numbers of zero stand for images as they are, whatever the configuration is."""
    colour = np.repeat(images, 3, axis=-1)
    bounds = only(**ALL, recolor_probability=0.9)
    nothing = Draws(*(np.zeros_like(part) for part in draw(SEED, colour.shape, bounds)))
    np.testing.assert_allclose(augmentation.augment(colour, nothing, bounds).numpy(), colour, atol=1e-5)


def test_bending_moves_pixels_by_no_more_than_its_waves_are_high() -> None:
    bar = np.zeros((64, 41, 81, 1), np.float32)
    bar[:, 20] = 1
    bent = augment(bar, SEED, only(bend=0.1)).numpy()[..., 0]
    rows = np.arange(41)[None, :, None]
    centre = (bent * rows).sum(axis=1) / bent.sum(axis=1)  # (64, 81)
    assert np.abs(centre - 20).max() <= 4.1 + 0.1
    assert np.abs(centre - 20).max() > 2.5
    assert (np.ptp(centre, axis=1) > 0.5).mean() > 0.7, "a wave, not a shift"


def test_perspective_makes_one_side_larger_and_keeps_the_centre() -> None:
    bars = np.zeros((32, 41, 81, 1), np.float32)
    bars[:, 10:31] = 1
    tilted = augment(bars, SEED, only(perspective=0.3)).numpy()[..., 0]
    heights = tilted.sum(axis=1)  # (32, 81)
    assert (np.abs(heights[:, 5] - heights[:, 75]) > 2).mean() > 0.5
    np.testing.assert_allclose(heights[:, 40].mean(), 21, atol=1.5)


def test_bending_brings_no_colour_that_was_not_there() -> None:
    even = np.full((8, 24, 40, 1), 0.7, np.float32)
    np.testing.assert_allclose(augment(even, SEED, only(bend=0.3, perspective=0.4)).numpy(), even, atol=1e-6)


def test_recolouring_swaps_and_inverts_channels_of_some_images_and_leaves_grey_ones(images: np.ndarray) -> None:
    colour = np.concatenate([images, images[::-1], images**2], axis=-1)
    many = np.repeat(colour, 50, axis=0)
    changed = augment(many, SEED, only(recolor_probability=0.4)).numpy()
    kept = np.array([np.array_equal(after, before) for before, after in zip(many, changed, strict=True)])
    assert 0.5 < kept.mean() < 0.7
    for before, after in zip(many[~kept], changed[~kept], strict=True):
        for channel in range(3):
            sources = [before[..., source] for source in range(3)]
            found = [np.abs(after[..., channel] - value).max() for s in sources for value in (s, 1 - s)]
            assert min(found) < 1e-6, "each channel is one of before, or one turned round"
    grey = augment(images, SEED, only(recolor_probability=1.0, brightness=1e-9)).numpy()
    np.testing.assert_allclose(grey, images, atol=1e-6)


def test_strokes_cross_some_images_most_in_the_colour_of_the_text() -> None:
    paper = np.full((200, 40, 120, 3), 0.9, np.float32)
    paper[:, 12:28, 30:90] = (0.1, 0.2, 0.6)
    struck = augment(paper, SEED, only(strokes=1, stroke_width=0.1)).numpy()
    changed = np.abs(struck - paper).max(axis=-1) > 0.01
    assert 0.4 < changed.any(axis=(1, 2)).mean() < 0.6
    widths = changed.sum(axis=1)  # (200, 120): pixels of a column that a line covers
    assert widths.max() <= 40 * 0.1 * 2 + 4, "a line, however steep"
    thicker = augment(paper, SEED, only(strokes=1, stroke_width=0.4)).numpy()
    on_paper = np.where((paper == paper[:, :1, :1]).all(axis=-1), np.abs(thicker - paper).max(axis=-1), 0)
    places = on_paper.reshape(200, -1).argmax(axis=1)
    colors = thicker.reshape(200, -1, 3)[np.arange(200), places][on_paper.any(axis=(1, 2))]
    inked = np.abs(colors - np.array([0.1, 0.2, 0.6], np.float32)).max(axis=-1) < 0.02
    assert 0.5 < inked.mean() < 0.9
    assert (np.abs(thicker - paper).max(axis=-1) > 0.01).sum() > 2 * changed.sum()

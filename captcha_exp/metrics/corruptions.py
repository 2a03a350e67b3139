"""Makes images worse, in the ways of cameras, scanners and networks."""

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage

STRENGTHS = 5
# Takes float32 (N, H, W) or (N, H, W, 3) in [0, 255], a level and a generator; returns the same shape.
_Apply = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Corruption:
    """One way to make images worse. `levels` are its `STRENGTHS` strengths, in the unit `unit`."""

    levels: tuple[float, float, float, float, float]
    unit: str
    apply: _Apply


def corrupt(images: np.ndarray, name: str, strength: int, seed: int) -> np.ndarray:
    """Make images worse. The same images, name, strength and seed give the same pixels.

    Args:
        images: uint8 (N, H, W), or (N, H, W, 3) in colour.
        name: one of `CORRUPTIONS`.
        strength: from 1 (hardly visible) to `STRENGTHS`.
        seed: seed of the random numbers for the images.

    Returns:
        uint8 of the same shape.
    """
    corruption = CORRUPTIONS[name]
    rng = np.random.default_rng([seed, list(CORRUPTIONS).index(name), strength])
    worse = corruption.apply(images.astype(np.float32), corruption.levels[strength - 1], rng)
    return np.clip(np.rint(worse), 0, 255).astype(np.uint8)


def _blur(images: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    sigma = share * images.shape[1]
    return ndimage.gaussian_filter(images, (0, sigma, sigma, 0)[: images.ndim], mode="nearest")


def _noise(images: np.ndarray, deviation: float, rng: np.random.Generator) -> np.ndarray:
    return images + np.float32(deviation) * rng.standard_normal(images.shape, np.float32)


def _jpeg(images: np.ndarray, quality: float, rng: np.random.Generator) -> np.ndarray:
    return np.stack([_recompressed(image, int(quality)) for image in images])


def _recompressed(image: np.ndarray, quality: int) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(image.astype(np.uint8)).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file), np.float32)


def _brightness(images: np.ndarray, shift: float, rng: np.random.Generator) -> np.ndarray:
    return images + np.float32(shift) * _signs(len(images), rng).reshape(-1, *(1,) * (images.ndim - 1))


def _rotation(images: np.ndarray, degrees: float, rng: np.random.Generator) -> np.ndarray:
    angles = np.deg2rad(degrees) * _signs(len(images), rng)
    matrices = [np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]) for a in angles]
    return np.stack([_warped(image, matrix) for image, matrix in zip(images, matrices, strict=True)])


def _scale(images: np.ndarray, factor: float, rng: np.random.Generator) -> np.ndarray:
    # Only shrink the text: if it grew, characters would leave the image, and the label would be wrong.
    return np.stack([_warped(image, np.eye(2) / factor) for image in images])


def _warped(image: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Map each pixel through `matrix` around the middle. Outside each channel is the median level of its border."""
    if image.ndim == 3:
        return np.stack([_warped(image[..., channel], matrix) for channel in range(image.shape[2])], axis=2)
    middle = (np.array(image.shape) - 1) / 2
    # If the border itself were repeated, ink that touches it would become strokes.
    paper = np.median(np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]]))
    return ndimage.affine_transform(image, matrix, middle - matrix @ middle, order=1, cval=float(paper))


def _occlusion(images: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Cover `share` of each image's area with a box of the image's shape and its middle grey."""
    count, height, width = images.shape[:3]
    tall, wide = max(1, round(height * share**0.5)), max(1, round(width * share**0.5))
    tops, lefts = rng.integers(0, height - tall + 1, count), rng.integers(0, width - wide + 1, count)
    covered = images.copy()
    for image, top, left in zip(covered, tops, lefts, strict=True):
        image[top : top + tall, left : left + wide] = (image.min() + image.max()) / 2
    return covered


def _signs(count: int, rng: np.random.Generator) -> np.ndarray:
    return rng.choice(np.array([-1, 1], np.float32), count)


CORRUPTIONS = {
    "blur": Corruption((0.015, 0.025, 0.035, 0.045, 0.06), "of the height, standard deviation", _blur),
    "noise": Corruption((8, 16, 32, 48, 64), "grey levels, standard deviation", _noise),
    "jpeg": Corruption((50, 30, 20, 10, 5), "quality", _jpeg),
    "brightness": Corruption((25, 50, 75, 100, 125), "grey levels up or down", _brightness),
    "rotation": Corruption((3, 6, 9, 12, 15), "degrees to either side", _rotation),
    "scale": Corruption((0.9, 0.8, 0.7, 0.6, 0.5), "of the size", _scale),
    "occlusion": Corruption((0.01, 0.02, 0.04, 0.08, 0.12), "of the area", _occlusion),
}

"""Finds out which images a model was trained on, without keeping the images."""

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from captcha_exp.reader.image import Images

if TYPE_CHECKING:
    from captcha_exp.tracking import LoadedRecogniser


def image_digests(images: Images) -> np.ndarray:
    """A digest of the pixels of each image: uint8 (N, H, W) or (N, H, W, 3) -> uint64 (N,).

    Equal images have equal digests. If you compare two sets of a million different images, the chance that two digests
    are equal is one in ten million.
    """
    digests = (hashlib.blake2b(image.tobytes(), digest_size=8).digest() for image in images)
    return np.frombuffer(b"".join(digests), "<u8")


def count_seen(recogniser: "LoadedRecogniser", images: Images) -> int | None:
    """How many of the images a model was trained on; None if the model has no list of its training images.

    Args:
        recogniser: the model.
        images: uint8 (N, H, W) or (N, H, W, 3), made by the model's own preprocessing.
    """
    if recogniser.training_images is None:
        return None
    return int(np.isin(image_digests(images), recogniser.training_images).sum())

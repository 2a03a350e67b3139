"""Finds out which images a model was trained or chosen on, without keeping the images."""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from captcha_exp.reader.image import Images

if TYPE_CHECKING:
    from captcha_exp.dataset import PreparedDataset
    from captcha_exp.tracking import LoadedRecogniser


@dataclass(frozen=True)
class SeenImages:
    """Digests of images, uint64 (N,): those whose weights learnt from them, and those that chose among weights.

    None means that they are not known.
    """

    training: np.ndarray | None
    validation: np.ndarray | None

    @classmethod
    def none(cls) -> "SeenImages":
        """What random weights have seen."""
        return cls(np.empty(0, np.uint64), np.empty(0, np.uint64))

    def and_training(self, images: Images) -> "SeenImages":
        """These, and further images that the weights learnt from."""
        training = None if self.training is None else np.union1d(image_digests(images), self.training)
        return SeenImages(training, self.validation)

    def and_those_of(self, dataset: "PreparedDataset") -> "SeenImages":
        """These, and the training and validation images of one more training.

        If it is not known which images chose the weights that the training started from, only its own are told: they
        chose far more.
        """
        before = np.empty(0, np.uint64) if self.validation is None else self.validation
        chose = image_digests(dataset.validation.images)
        return SeenImages(self.and_training(dataset.train.images).training, np.union1d(chose, before))


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


def chose(recogniser: "LoadedRecogniser", images: Images) -> np.ndarray | None:
    """Which of the images chose the model's epoch, bool (N,); None if the model has no list of these images.

    Args:
        recogniser: the model.
        images: uint8 (N, H, W) or (N, H, W, 3), made by the model's own preprocessing.
    """
    if recogniser.validation_images is None:
        return None
    return np.isin(image_digests(images), recogniser.validation_images)

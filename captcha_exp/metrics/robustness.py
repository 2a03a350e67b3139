"""Accuracy of a model on images that were made worse."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from captcha_exp.metrics.accuracy import sequence_accuracy
from captcha_exp.metrics.corruptions import CORRUPTIONS, STRENGTHS, corrupt
from captcha_exp.reader.image import Images


@dataclass(frozen=True)
class Robustness:
    """Sequence accuracy on `images` images: `clean` is without corruption, `accuracy` is by corruption and strength."""

    images: int
    clean: float
    accuracy: dict[str, list[float]]

    @property
    def mean(self) -> float:
        """Mean over all corruptions and strengths."""
        return float(np.mean(list(self.accuracy.values())))

    @property
    def drop(self) -> float:
        """How much accuracy the corruptions cost on average, as a share from 0 to 1; lower is better."""
        return self.clean - self.mean


def measure_robustness(
    read: Callable[[Images], list[str]],
    images: Images,
    labels: Sequence[str],
    *,
    most_images: int | None,
    seed: int,
) -> Robustness:
    """Read images with every corruption at every strength.

    Args:
        read: the model, a function from uint8 (N, H, W) or (N, H, W, 3) to N texts.
        images: uint8 (N, H, W) or (N, H, W, 3), N at least 1.
        labels: the N reference texts.
        most_images: if there are more images, this many are drawn; None takes all.
        seed: seed of all draws.
    """
    rows = drawn_rows(len(labels), most_images, seed)
    some, wanted = images[rows], [labels[row] for row in rows]

    def accuracy(seen: np.ndarray) -> float:
        return sequence_accuracy(wanted, read(seen))

    worse = {
        name: [accuracy(corrupt(some, name, strength, seed)) for strength in range(1, STRENGTHS + 1)]
        for name in CORRUPTIONS
    }
    return Robustness(len(rows), accuracy(some), worse)


def drawn_rows(total: int, most: int | None, seed: int) -> np.ndarray:
    """At most `most` of `total` rows, in ascending order. The same seed gives the same rows."""
    if most is None or total <= most:
        return np.arange(total)
    return np.sort(np.random.default_rng(seed).choice(total, most, replace=False))

"""How much a model still reads in images that were made worse."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from captcha_exp.metrics.accuracy import sequence_accuracy
from captcha_exp.metrics.corruptions import CORRUPTIONS, STRENGTHS, corrupt
from captcha_exp.reader.image import Images


@dataclass(frozen=True)
class Robustness:
    """Sequence accuracy on `images` images: `clean` as they are, `accuracy` of each corruption by rising strength."""

    images: int
    clean: float
    accuracy: dict[str, list[float]]

    @property
    def mean(self) -> float:
        """Mean over all corruptions and strengths."""
        return float(np.mean(list(self.accuracy.values())))

    @property
    def drop(self) -> float:
        """What the corruptions cost on average, in points of accuracy from 0 to 1; lower is better."""
        return self.clean - self.mean


def measure_robustness(
    read: Callable[[Images], list[str]],
    images: Images,
    labels: Sequence[str],
    *,
    most_images: int | None,
    seed: int,
) -> Robustness:
    """Read every corruption of every strength.

    Args:
        read: the model: the texts that it reads in uint8 (N, H, W).
        images: uint8 (N, H, W), N at least 1.
        labels: the N reference texts.
        most_images: of more images that many are drawn; null takes all.
        seed: of what is drawn.
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
    """At most `most` of `total` rows, ascending; the same for the same seed."""
    if most is None or total <= most:
        return np.arange(total)
    return np.sort(np.random.default_rng(seed).choice(total, most, replace=False))

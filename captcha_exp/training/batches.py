"""Chooses the images of each step."""

from collections.abc import Iterator

import numpy as np


def steps_per_epoch(size: int, batch_size: int) -> int:
    """The number of batches that hold each of `size` images at least once."""
    return -(-size // batch_size)


def epoch_batches(size: int, batch_size: int, seed: int, epoch: int) -> Iterator[np.ndarray]:
    """The indices of the images in each batch of one epoch. Their order depends only on `seed` and `epoch`.

    All batches are full: the first images of the epoch fill up the last batch. So one compiled step is enough, and no
    batch has the statistics of only a few images.

    Args:
        size: number of images N, at least 1.
        batch_size: B. If N is smaller, a batch has N images.
        seed: the seed of the training.
        epoch: the number of the epoch, from 0.

    Returns:
        Iterator over int64 (min(B, N),).
    """
    order = np.random.default_rng([seed, epoch]).permutation(size)
    batch_size = min(batch_size, size)
    for step in range(steps_per_epoch(size, batch_size)):
        positions = np.arange(step * batch_size, (step + 1) * batch_size)
        yield order[positions % size]

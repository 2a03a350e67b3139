"""Which images each step learns from."""

from collections.abc import Iterator

import numpy as np


def steps_per_epoch(size: int, batch_size: int) -> int:
    """Number of batches in which each of `size` images comes at least once."""
    return -(-size // batch_size)


def epoch_batches(size: int, batch_size: int, seed: int, epoch: int) -> Iterator[np.ndarray]:
    """Indices of each batch of one epoch, in an order that only `seed` and `epoch` decide.

    All batches are full, so that one compiled step serves all and none has statistics of a handful of images: the
    last one is filled up with images of the epoch's beginning.

    Args:
        size: number of images N, at least 1.
        batch_size: B; fewer where N is smaller.
        seed: of the training.
        epoch: from 0.

    Returns:
        Iterator over int64 (min(B, N),).
    """
    order = np.random.default_rng([seed, epoch]).permutation(size)
    batch_size = min(batch_size, size)
    for step in range(steps_per_epoch(size, batch_size)):
        positions = np.arange(step * batch_size, (step + 1) * batch_size)
        yield order[positions % size]

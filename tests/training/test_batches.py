"""Which images each step learns from."""

import numpy as np
import pytest

from captcha_exp.training.batches import epoch_batches, steps_per_epoch


@pytest.mark.parametrize(("size", "batch_size"), [(10, 4), (8, 4), (3, 4), (1, 1), (9, 8)])
def test_batches_are_full_and_leave_no_image_out(size: int, batch_size: int) -> None:
    batches = list(epoch_batches(size, batch_size, seed=0, epoch=0))
    assert len(batches) == steps_per_epoch(size, batch_size)
    assert {len(batch) for batch in batches} == {min(size, batch_size)}
    assert set(np.concatenate(batches)) == set(range(size))
    for batch in batches:
        assert len(set(batch)) == len(batch)


def test_seed_and_epoch_alone_decide_the_order() -> None:
    def order(seed: int, epoch: int) -> list[int]:
        return np.concatenate(list(epoch_batches(20, 5, seed, epoch))).tolist()

    assert order(0, 1) == order(0, 1)
    assert order(0, 1) != order(0, 2)
    assert order(0, 1) != order(1, 1)

"""Near hashes are found without comparing each with each, and none is missed."""

import numpy as np

from captcha_exp.prepare.duplicate_images import NEAR_BITS, near_groups


def random_hashes(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 32), np.uint8)


def flipped(hashes: np.ndarray, bits: int, seed: int = 1) -> np.ndarray:
    """The same hashes with that many bits of each changed."""
    rng = np.random.default_rng(seed)
    table = np.unpackbits(hashes, axis=1)
    for row in table:
        row[rng.choice(256, bits, replace=False)] ^= 1
    return np.packbits(table, axis=1)


def test_every_pair_within_the_limit_is_found_and_none_beyond() -> None:
    hashes = random_hashes(500)
    near = near_groups(np.concatenate([hashes, flipped(hashes, NEAR_BITS)]))
    assert sorted(near.groups) == [[row, row + 500] for row in range(500)]
    assert near.complete
    assert near_groups(np.concatenate([hashes, flipped(hashes, NEAR_BITS + 1)])).groups == []


def test_chains_of_near_images_are_one_group() -> None:
    first = random_hashes(1)
    second = flipped(first, 10, seed=1)
    third = flipped(second, 10, seed=2)
    assert np.bitwise_count(first ^ third).sum() > NEAR_BITS
    assert near_groups(np.concatenate([first, third, random_hashes(3, seed=9), second])).groups == [[0, 1, 5]]


def test_many_equal_images_are_one_group() -> None:
    same = np.repeat(random_hashes(1), 30_000, axis=0)
    near = near_groups(same)
    assert [len(group) for group in near.groups] == [30_000]


def test_a_search_that_is_cut_short_says_so() -> None:
    alike = flipped(np.repeat(random_hashes(1), 400, axis=0), 3)
    assert near_groups(alike).complete
    assert not near_groups(alike, max_comparisons=1000).complete

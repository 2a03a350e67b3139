"""Splits that leak nothing."""

import random
from collections.abc import Sequence

import pytest

from captcha_exp.dataset.split import split_samples
from captcha_exp.errors import InputError


def divide(
    labels: Sequence[str],
    pixels: Sequence[int] | None = None,
    validation: float = 0.1,
    test: float = 0.1,
    seed: int = 0,
    fold: int = 0,
    validation_fold: int = 0,
) -> dict[str, list[int]]:
    return split_samples(
        labels,
        range(len(labels)) if pixels is None else pixels,
        validation_fraction=validation,
        test_fraction=test,
        seed=seed,
        test_fold=fold,
        validation_fold=validation_fold,
    )


@pytest.mark.parametrize("seed", range(30))
def test_no_label_and_no_image_is_ever_on_two_sides(seed: int) -> None:
    rng = random.Random(seed)
    size = rng.randint(50, 400)
    labels = ["".join(rng.choices("abc", k=rng.randint(1, 6))) for _ in range(size)]
    pixels = [rng.randrange(10 * size) for _ in range(size)]
    validation, test = rng.choice([(0.1, 0.1), (0.3, 0.0), (0.05, 0.4)])
    splits = divide(labels, pixels, validation, test, seed)
    assert sorted(index for split in splits.values() for index in split) == list(range(size))
    for kind in (labels, pixels):
        sides = [{kind[index] for index in split} for split in splits.values()]
        assert not sides[0] & sides[1] and not sides[0] & sides[2] and not sides[1] & sides[2]
    for side in splits.values():
        assert set("".join(labels[index] for index in side)) <= set("".join(labels[i] for i in splits["train"]))


def test_chains_of_equal_labels_and_equal_images_stay_together() -> None:
    labels = ["a", "b", "b", "c"] + ["abc"] * 0 + [f"{i:02d}abc" for i in range(20)]
    pixels = [1, 1, 2, 2, *range(10, 30)]
    for seed in range(20):
        splits = divide(labels, pixels, 0.2, 0.2, seed)
        assert any({0, 1, 2, 3} <= set(split) for split in splits.values())


@pytest.mark.parametrize("size", [5, 50, 1040, 2000])
def test_different_samples_are_divided_exactly_by_the_fractions(size: int) -> None:
    splits = divide([f"{index:012b}" for index in range(size)])
    held_out = max(1, round(size / 10))
    assert {name: len(split) for name, split in splits.items()} == {
        "train": size - 2 * held_out,
        "validation": held_out,
        "test": held_out,
    }


def test_repeated_labels_still_give_sizes_near_the_fractions() -> None:
    rng = random.Random(0)
    splits = divide([f"{rng.randrange(1000):04d}" for _ in range(2000)])
    assert abs(len(splits["validation"]) - 200) <= 1 and abs(len(splits["test"]) - 200) <= 1


def test_groups_larger_than_a_split_give_the_nearest_size() -> None:
    splits = divide(
        [label for label in ("aab", "aba", "baa", "abb", "bba") for _ in range(10)], validation=0.13, test=0.0
    )
    assert len(splits["validation"]) == 10
    assert splits["test"] == []


def test_one_giant_group_goes_to_training() -> None:
    splits = divide(["same"] * 90 + [f"{'same'[i % 4]}{'same'[i // 4]}" for i in range(10)])
    assert set(range(90)) <= set(splits["train"])
    assert len(splits["validation"]) == len(splits["test"]) == 5


def test_a_character_that_one_group_alone_has_is_trained_on() -> None:
    labels = [f"{index:03d}" for index in range(100)] + ["0x", "1y", "1y"]
    for seed in range(50):
        assert {100, 101, 102} <= set(divide(labels, validation=0.4, test=0.4, seed=seed)["train"])


def test_the_seed_decides_and_the_order_of_the_files_does_not() -> None:
    labels = [f"{index:03d}" for index in range(200)]
    shuffled = random.Random(1).sample(labels, len(labels))

    def test_labels(ordered: Sequence[str], seed: int) -> set[str]:
        return {ordered[index] for index in divide(ordered, seed=seed)["test"]}

    assert test_labels(labels, 0) == test_labels(shuffled, 0)
    assert test_labels(labels, 0) != test_labels(labels, 1)


def test_a_few_more_samples_hardly_move_the_others() -> None:
    labels = [f"{index:04d}" for index in range(1000)]
    before, after = set(divide(labels)["test"]), set(divide([*labels, "9999", "9998"])["test"])
    assert len(before & after) > 90


@pytest.mark.parametrize(
    ("labels", "validation", "test", "message"),
    [
        (
            ["ab"] * 50,
            0.1,
            0.1,
            r"dataset\.validation_fraction=0\.1 leaves the validation split empty: 50 samples form 1 groups of equal",
        ),
        (["ab", "cd", "ef"], 0.1, 0.0, r"validation split empty: 3 samples form 3 groups .* must stay in training"),
        (["ab", "ba"], 0.4, 0.4, r"dataset\.test_fraction=0\.4 leaves the test split empty: 2 samples form 2 groups"),
    ],
)
def test_an_empty_split_is_refused_with_the_counts(
    labels: list[str], validation: float, test: float, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        divide(labels, validation=validation, test=test)


def test_the_folds_test_every_sample_once_and_the_first_is_the_split_without_folds() -> None:
    rng = random.Random(5)
    labels = ["".join(rng.choices("abcdefgh", k=5)) for _ in range(520)]
    labels[100:140] = labels[:40]  # samples that must stay together
    folds = [divide(labels, validation=0.1, test=0.2, seed=3, fold=fold) for fold in range(5)]
    assert folds[0] == divide(labels, validation=0.1, test=0.2, seed=3)
    assert sorted(index for fold in folds for index in fold["test"]) == list(range(520))
    for fold in folds:
        assert sorted(index for split in fold.values() for index in split) == list(range(520))
        assert abs(len(fold["test"]) - 104) <= 2 and abs(len(fold["validation"]) - 52) <= 1
        sides = [{labels[index] for index in split} for split in fold.values()]
        assert not sides[0] & sides[1] and not sides[0] & sides[2] and not sides[1] & sides[2]


def test_a_sample_with_a_character_of_its_own_is_in_no_fold() -> None:
    labels = [f"{index:09b}" for index in range(99)] + ["unique"]
    folds = [divide(labels, validation=0.1, test=0.25, fold=fold) for fold in range(4)]
    tested = [index for fold in folds for index in fold["test"]]
    assert 99 not in tested and len(tested) == len(set(tested)) and len(tested) >= 99 - 1


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("test_fold", [0, 2])
def test_validation_folds_share_nothing_and_have_the_same_test_split(seed: int, test_fold: int) -> None:
    rng = random.Random(seed)
    labels = ["".join(rng.choices("abcd", k=4)) for _ in range(200)]
    pixels = [rng.randrange(2000) for _ in range(200)]
    folds = [divide(labels, pixels, 0.2, 0.2, seed, test_fold, fold) for fold in range(4)]
    assert folds[0] == divide(labels, pixels, 0.2, 0.2, seed, test_fold)
    judged = [index for fold in folds for index in fold["validation"]]
    assert len(judged) == len(set(judged)) > 120, "four folds of a fifth, but for groups that do not fit"
    for fold in folds:
        assert fold["test"] == folds[0]["test"]
        assert sorted(index for split in fold.values() for index in split) == list(range(200))
        for kind in (labels, pixels):
            sides = [{kind[index] for index in split} for split in fold.values()]
            assert not sides[0] & sides[1] and not sides[0] & sides[2] and not sides[1] & sides[2]


def test_a_validation_fold_that_would_be_empty_is_refused() -> None:
    """Two groups of equal labels, so there are two folds."""
    labels = ["ab", "ba"] * 8
    folds = [divide(labels, None, 0.4, 0.0, validation_fold=fold) for fold in (0, 1)]
    assert folds[0]["validation"] == folds[1]["train"] and folds[0]["train"] == folds[1]["validation"]
    with pytest.raises(InputError, match=r"dataset\.validation_fraction=0\.4 leaves the validation split empty"):
        divide(labels, None, 0.4, 0.0, validation_fold=2)

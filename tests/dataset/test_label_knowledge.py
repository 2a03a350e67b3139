"""What the labels of a training say of every text."""

import itertools
import random

import pytest

from captcha_exp.dataset.label_knowledge import (
    LABELS_FOR_ALPHABETS,
    LABELS_FOR_LENGTH,
    label_knowledge,
    told,
    told_unreadable,
)
from captcha_exp.reader.decoding import Knowledge

CHARACTERS = "0123456789ab"
DIGITS = "0123456789"


def letter_and_digits(count: int) -> list[str]:
    """Different labels; every character is at its positions about equally often."""
    every = ["".join(text) for text in itertools.product("ab", DIGITS, DIGITS, DIGITS)]
    return random.Random(0).sample(every, count)


def test_the_numbers_of_labels_are_those_of_the_rule() -> None:
    for labels, share in ((LABELS_FOR_LENGTH, 0.10), (LABELS_FOR_ALPHABETS, 0.01)):
        assert (1 - share) ** labels <= 0.05 < (1 - share) ** (labels - 1)


def test_one_length_of_enough_labels_is_known() -> None:
    labels = letter_and_digits(LABELS_FOR_LENGTH)
    assert label_knowledge(labels, CHARACTERS) == Knowledge((None,) * 4)
    assert label_knowledge(labels[1:], CHARACTERS) is None, "too few"
    assert label_knowledge(labels[1:] * 9, CHARACTERS) is None, "equal labels count once"
    assert label_knowledge([*labels, "a1"], CHARACTERS) is None, "two lengths"
    assert label_knowledge([], CHARACTERS) is None


def test_a_position_is_restricted_if_all_that_was_seen_there_was_seen_often() -> None:
    labels = letter_and_digits(1000)
    assert label_knowledge(labels, CHARACTERS) == Knowledge(("ab", DIGITS, DIGITS, DIGITS))
    assert label_knowledge(labels[: LABELS_FOR_ALPHABETS - 1], CHARACTERS) == Knowledge((None,) * 4), "too few"
    rare = [*labels, *(f"0{number:03d}" for number in range(9))]
    assert label_knowledge(rare, CHARACTERS) == Knowledge((None, DIGITS, DIGITS, DIGITS)), "a 0 was seen 9 times"
    assert label_knowledge([label[1:] for label in labels], DIGITS) == Knowledge((None,) * 3), "all stand everywhere"


def test_an_alphabet_too_large_to_search_with_is_left_alone() -> None:
    labels = [chr(0x4E00 + number) * 3 for number in range(40)]
    many = "".join(chr(0x4E00 + number) for number in range(20_000))
    assert label_knowledge(labels, many[:16_000]) is not None
    assert label_knowledge(labels, many) is None


def test_what_is_known_and_what_contradicts_it_is_told() -> None:
    knowledge = Knowledge(("ab", None, None))
    assert told(knowledge, 832) == (
        "decoding: all 832 training labels are texts of 3 characters, with only some of all characters at position 1; "
        "other texts are not read (decoding.knowledge=none turns this off)"
    )
    assert told_unreadable(knowledge, ["a11", "b22"], "test") is None
    line = told_unreadable(knowledge, ["a11", "b2", "111", "b"], "test")
    assert line is not None
    assert line.startswith("decoding: 3 of the 4 test labels cannot be read, 2 for their length, 1 for a character at ")


@pytest.mark.parametrize("length", [1, 7])
def test_any_length_can_be_known(length: int) -> None:
    labels = ["".join(text) for text in itertools.islice(itertools.product(map(chr, range(65, 107)), repeat=1), 40)]
    knowledge = label_knowledge([label * length for label in labels], "".join(sorted(set().union(*labels))))
    assert knowledge is not None and knowledge.length == length

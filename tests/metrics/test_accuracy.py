"""Metrics of predicted texts."""

import random

import pytest

from captcha_exp.errors import InputError
from captcha_exp.metrics.accuracy import (
    align,
    character_error_rate,
    edit_distance,
    kind_of_error,
    length_error_rate,
    sequence_accuracy,
)


def test_sequence_accuracy_counts_whole_texts() -> None:
    assert sequence_accuracy(["abc", "abd"], ["abc", "abc"]) == 0.5


def test_sequence_accuracy_respects_case_unless_told_otherwise() -> None:
    assert sequence_accuracy(["aB"], ["Ab"]) == 0.0
    assert sequence_accuracy(["aB"], ["Ab"], ignore_case=True) == 1.0


def test_character_error_rate_sums_before_it_divides() -> None:
    # 1 edit over 1 + 9 characters, not the mean of 100 % and 0 %.
    assert character_error_rate(["a", "bbbbbbbbb"], ["x", "bbbbbbbbb"]) == pytest.approx(0.1)


def test_errors_of_length_stand_apart() -> None:
    labels, texts = ["ab", "ab", "ab", "ab"], ["ab", "abc", "", "ax"]
    assert length_error_rate(labels, texts) == 0.5
    assert [kind_of_error(*pair) for pair in zip(labels, texts, strict=True)] == ["", "length", "length", "characters"]


def test_character_error_rate_exceeds_one_where_too_much_is_predicted() -> None:
    assert character_error_rate(["a"], ["xyz"]) == 3.0


@pytest.mark.parametrize(
    ("source", "target", "distance"),
    [("", "", 0), ("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3), ("flaw", "lawn", 2), ("aab", "ab", 1)],
)
def test_edit_distance_is_the_fewest_edits(source: str, target: str, distance: int) -> None:
    assert edit_distance(source, target) == distance


def test_alignment_pairs_equal_characters_and_marks_gaps() -> None:
    assert align("2b4", "24") == [("2", "2"), ("b", ""), ("4", "4")]
    assert align("24", "2b4") == [("2", "2"), ("", "b"), ("4", "4")]
    assert align("cat", "cut") == [("c", "c"), ("a", "u"), ("t", "t")]
    assert align("", "") == []


def test_alignment_has_as_many_edits_as_the_distance_and_loses_no_character() -> None:
    draw = random.Random(0)
    for _ in range(300):
        left, right = ("".join(draw.choices("abc", k=draw.randrange(7))) for _ in range(2))
        pairs = align(left, right)
        assert sum(one != other for one, other in pairs) == edit_distance(left, right)
        assert "".join(one for one, _ in pairs) == left
        assert "".join(other for _, other in pairs) == right


def test_metrics_refuse_what_cannot_be_compared() -> None:
    with pytest.raises(InputError, match="2 labels cannot be compared with 1 predictions"):
        sequence_accuracy(["a", "b"], ["a"])
    with pytest.raises(InputError, match="No labels"):
        character_error_rate([], [])
    with pytest.raises(InputError, match="without a single character"):
        character_error_rate([""], ["a"])

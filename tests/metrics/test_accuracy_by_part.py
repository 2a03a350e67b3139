"""Accuracy of the parts that images fall into."""

from captcha_exp.metrics.accuracy_by_part import by_character, by_length, by_origin


def test_texts_are_counted_by_length_in_the_order_of_numbers() -> None:
    labels = ["a" * 10, "ab", "cd", "a" * 10]
    parts = by_length(labels, [True, True, False, False])
    assert [(part.name, part.total, part.right, part.accuracy) for part in parts] == [
        ("2", 2, 1, 0.5),
        ("10", 2, 1, 0.5),
    ]


def test_texts_are_counted_by_origin() -> None:
    parts = by_origin(["plates", "meters", "plates"], [True, False, True])
    assert [(part.name, part.total, part.right) for part in parts] == [("meters", 1, 0), ("plates", 2, 2)]
    assert parts[1].interval.low < 1.0 == parts[1].interval.high


def test_characters_are_counted_along_the_alignment() -> None:
    parts = by_character(["abc", "ab ", "a"], ["ac", "xb ", "aa"])
    assert {part.name: (part.right, part.total) for part in parts} == {
        "a": (2, 3), "b": (1, 2), "c": (1, 1), " ": (1, 1),
    }  # fmt: skip

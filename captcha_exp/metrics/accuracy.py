"""Accuracy of predicted texts."""

import math
from collections.abc import Sequence

from captcha_exp.errors import InputError


def sequence_accuracy(labels: Sequence[str], predictions: Sequence[str], *, ignore_case: bool = False) -> float:
    """Share of texts that are completely right, in [0, 1]; higher is better.

    Args:
        labels: reference texts.
        predictions: as many predicted texts, in the same order.
        ignore_case: if true, "aB" for "Ab" counts as right.

    Raises:
        InputError: there are no labels, or the number of predictions differs.
    """
    _check_lengths(labels, predictions)
    pairs = zip(labels, predictions, strict=True)
    if ignore_case:
        right = sum(label.casefold() == prediction.casefold() for label, prediction in pairs)
    else:
        right = sum(label == prediction for label, prediction in pairs)
    return right / len(labels)


def standard_error(accuracy: float, images: int) -> float:
    """The standard error of a sequence accuracy in [0, 1], and at least one of the images."""
    return max(1.0, math.sqrt(images * accuracy * (1 - accuracy))) / images


def character_error_rate(labels: Sequence[str], predictions: Sequence[str]) -> float:
    """Number of edits between labels and predictions, divided by the number of label characters; lower is better.

    Both numbers are summed over all texts first, so a long label counts more than a short one. If the predictions have
    too many characters, the rate can be above 1.

    Raises:
        InputError: the labels have no characters, or the number of predictions differs.
    """
    _check_lengths(labels, predictions)
    characters = sum(map(len, labels))
    if not characters:
        raise InputError("The character error rate of labels without a single character is undefined.")
    return sum(edit_distance(label, text) for label, text in zip(labels, predictions, strict=True)) / characters


def length_error_rate(labels: Sequence[str], predictions: Sequence[str]) -> float:
    """Share of texts with too few or too many characters, in [0, 1]; lower is better.

    Raises:
        InputError: there are no labels, or the number of predictions differs.
    """
    _check_lengths(labels, predictions)
    return sum(len(label) != len(text) for label, text in zip(labels, predictions, strict=True)) / len(labels)


def kind_of_error(label: str, prediction: str) -> str:
    """What is wrong with a text: `length` if it has another length, else `characters`; "" if right."""
    if len(label) != len(prediction):
        return "length"
    return "" if label == prediction else "characters"


def edit_distance(source: str, target: str) -> int:
    """Fewest insertions, deletions and substitutions of one character that turn `source` into `target`."""
    if source == target:
        return 0
    return _edit_table(source, target)[-1][-1]


def align(label: str, prediction: str) -> list[tuple[str, str]]:
    """Pair the characters of two texts with the fewest edits. If one text lacks a character, its partner is "".

    If several alignments are equally short, this takes the one whose substitutions are furthest to the right.
    """
    table = _edit_table(label, prediction)
    pairs: list[tuple[str, str]] = []
    row, column = len(label), len(prediction)
    while row or column:
        here = table[row][column]
        if row and column and here == table[row - 1][column - 1] + (label[row - 1] != prediction[column - 1]):
            row, column = row - 1, column - 1
            pairs.append((label[row], prediction[column]))
        elif row and here == table[row - 1][column] + 1:
            row -= 1
            pairs.append((label[row], ""))
        else:
            column -= 1
            pairs.append(("", prediction[column]))
    return pairs[::-1]


def _edit_table(source: str, target: str) -> list[list[int]]:
    """Edit distance of every prefix of `source` (rows) to every prefix of `target` (columns)."""
    table = [list(range(len(target) + 1))]
    for row, left in enumerate(source, start=1):
        above, current = table[-1], [row]
        for column, right in enumerate(target, start=1):
            substituted = above[column - 1] + (left != right)
            current.append(min(substituted, above[column] + 1, current[-1] + 1))
        table.append(current)
    return table


def _check_lengths(labels: Sequence[str], predictions: Sequence[str]) -> None:
    if len(labels) != len(predictions):
        raise InputError(f"{len(labels)} labels cannot be compared with {len(predictions)} predictions.")
    if not labels:
        raise InputError("No labels to compare predictions with.")

"""Recognises what the folders of a dataset stand for: its splits, or its labels."""

from collections import defaultdict
from collections.abc import Sequence

from captcha_exp.dataset.image_files import stem

_SPLITS = {
    **dict.fromkeys(("train", "training", "tr", "trn"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev", "eval"), "validation"),
    **dict.fromkeys(("test", "testing", "tst", "holdout"), "test"),
}
_ENOUGH = 0.9


def split_named(word: str) -> str | None:
    """The split that a folder's or cell's word means, None if it means none."""
    return _SPLITS.get(word.strip().lower())


def folder_split(name: str) -> str | None:
    """The split that one of the folders of a file's name means."""
    return next((found for part in name.split("/")[:-1] if (found := split_named(part)) is not None), None)


def are_splits(names: Sequence[str]) -> bool:
    """Whether nearly all files lie in folders that are called after splits, at least two of them."""
    found = [folder_split(name) for name in names]
    return len(set(found) - {None}) > 1 and len(names) - found.count(None) >= _ENOUGH * len(names)


def are_labels(names: Sequence[str]) -> bool:
    """Whether the folders of files are their labels: the files inside are only numbered, alike in several folders.

    That is so if most of their stems occur in several folders, or are a running number, or begin with the folder's
    name.
    """
    inside = defaultdict(list)
    for name in names:
        parts = name.split("/")
        if len(parts) > 1:
            inside[parts[-2]].append(stem(name))
    files = sum(map(len, inside.values()))
    if len(inside) < 2 or files < _ENOUGH * len(names) or are_splits([f"{folder}/x" for folder in inside]):
        return False
    folders_of = defaultdict(set)
    for folder, stems in inside.items():
        for one in stems:
            folders_of[one].add(folder)
    shared = sum(len(folders_of[one]) > 1 for stems in inside.values() for one in stems)
    prefixed = sum(one.startswith(folder) and one != folder for folder, stems in inside.items() for one in stems)
    numbered = sum(len(stems) for stems in inside.values() if _are_numbers(stems))
    return max(shared, prefixed, numbered) >= _ENOUGH * files


def _are_numbers(stems: Sequence[str]) -> bool:
    """Whether names count: 0, 1, 2, ... or 1, 2, 3, ..."""
    numbers = [int(one[-18:]) for one in stems if one.isascii() and one.isdigit()]
    return len(stems) > 1 and len(numbers) == len(stems) and max(numbers) <= len(numbers)

"""Converts between text and the class ids of CTC."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from captcha_exp.errors import InputError

# Keras' CTC loss uses label id 0 for padding and for the blank, so characters start at 1.
BLANK = 0


@dataclass(frozen=True)
class Vocabulary:
    """The characters that can be read, in sorted order. The class id of `characters[i]` is `i + 1`.

    Raises:
        InputError: `characters` is empty, unsorted, or has a character twice.
    """

    characters: str

    def __post_init__(self) -> None:
        if not self.characters:
            raise InputError("A vocabulary needs at least one character.")
        if self.characters != "".join(sorted(set(self.characters))):
            raise InputError(f"The characters of a vocabulary must be sorted and unique, not {self.characters!r}.")

    @classmethod
    def from_labels(cls, labels: Iterable[str]) -> "Vocabulary":
        """The vocabulary of all characters in `labels`."""
        return cls("".join(sorted(set().union(*labels))))

    @property
    def num_classes(self) -> int:
        """Number of classes K: all characters and the blank."""
        return len(self.characters) + 1

    def unknown(self, label: str) -> str:
        """Characters of `label` that are not in the vocabulary, each once, in order of appearance."""
        known = set(self.characters)
        return "".join(character for character in dict.fromkeys(label) if character not in known)

    def encode(self, labels: Sequence[str]) -> np.ndarray:
        """Class ids of texts.

        Returns:
            int32 of shape (N, L), where L is the length of the longest label. Shorter labels are padded with 0.

        Raises:
            InputError: a label has a character outside the vocabulary.
        """
        class_ids = {character: index for index, character in enumerate(self.characters, start=1)}
        encoded = np.zeros((len(labels), max(map(len, labels), default=0)), np.int32)
        for row, label in enumerate(labels):
            unknown = self.unknown(label)
            if unknown:
                raise InputError(
                    f"Label {label!r} has the character {unknown[0]!r}, which is not in the vocabulary "
                    f"{self.characters!r}."
                )
            encoded[row, : len(label)] = [class_ids[character] for character in label]
        return encoded

    def decode(self, ids: Iterable[int]) -> str:
        """The text of one row of class ids. Id 0 is padding and is skipped.

        Raises:
            ValueError: an id is not a class of this vocabulary.
        """
        text = []
        for class_id in map(int, ids):
            if not 0 <= class_id < self.num_classes:
                raise ValueError(f"Class id {class_id} is outside 0 to {self.num_classes - 1}.")
            if class_id != BLANK:
                text.append(self.characters[class_id - 1])
        return "".join(text)

"""Which labels a model can write at all, and what is said of the others."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from captcha_exp.config import min_time_steps
from captcha_exp.reader.vocabulary import Vocabulary

_NAMED = 20


def writable(labels: Sequence[str], characters: str, time_steps: int) -> np.ndarray:
    """Which labels a model can write, bool (N,): it knows each character, and has time steps enough.

    Args:
        labels: N reference texts.
        characters: the model's, `characters[i]` is class `i + 1`.
        time_steps: the model's.
    """
    vocabulary = Vocabulary(characters)
    return np.array(
        [not vocabulary.unknown(label) and min_time_steps(label) <= time_steps for label in labels], dtype=bool
    )


@dataclass(frozen=True)
class Unwritable:
    """The labels of a split that a model cannot write. Each of them counts as wrong.

    `characters` has, for each character that the model does not know, the number of labels that hold it; the most
    frequent first. `unknown` counts the labels with such characters, `too_long` those that only lack time steps.
    `total` is the number of labels of the split.
    """

    total: int
    unknown: int
    characters: dict[str, int]
    too_long: int

    @classmethod
    def of(cls, labels: Sequence[str], characters: str, time_steps: int) -> "Unwritable":
        """Count them. See `writable` for the arguments."""
        vocabulary = Vocabulary(characters)
        unknown = [found for label in labels if (found := vocabulary.unknown(label))]
        counts = Counter(character for found in unknown for character in found)
        lost = len(labels) - int(writable(labels, characters, time_steps).sum())
        return cls(len(labels), len(unknown), dict(counts.most_common()), lost - len(unknown))

    def told(self, split: str, characters: str) -> list[str]:
        """The lines that tell the user; none if the model can write every label.

        Args:
            split: name of the split.
            characters: the model's.
        """
        lines = []
        if self.unknown:
            lines.append(
                f"vocabulary: {self.unknown} of the {self.total} {split} labels {_have(self.unknown)} characters that "
                f"the model does not know, and count as wrong: {self._named()}{_hint(self.characters, characters)}"
            )
        if self.too_long:
            lines.append(
                f"length: {self.too_long} of the {self.total} {split} labels {_have(self.too_long)} more characters "
                "than the model has time steps for, and count as wrong; a model with a lower `cnn.width_stride` or a "
                "larger `dataset.image_width` could read them"
            )
        return lines

    def _named(self) -> str:
        named = [f"{character!r} in {count}" for character, count in list(self.characters.items())[:_NAMED]]
        more = len(self.characters) - len(named)
        return ", ".join(named) + (f" and {more} more characters" if more else "")


def _have(count: int) -> str:
    return "has" if count == 1 else "have"


def _hint(unknown: Iterable[str], characters: str) -> str:
    """What to type if the model was trained on labels in one case."""
    for case, change in (("lower", str.lower), ("upper", str.upper)):
        if all(change(character) in characters for character in unknown):
            return f"; the model knows them in {case} case: `dataset.label_case={case}`"
    return "; a model that is trained on labels with them can read them"

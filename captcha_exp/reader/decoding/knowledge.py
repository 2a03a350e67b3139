"""What is known of all texts that a model reads: their length, and the characters at each position."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from captcha_exp.reader.decoding.automaton import DEAD, Automaton, automaton_of


@dataclass(frozen=True)
class Knowledge:
    """Every text has one length, and at some positions only some characters.

    Attributes:
        alphabets: for each position of a text, the characters that can stand there; None for every character.
    """

    alphabets: tuple[str | None, ...]

    def __str__(self) -> str:
        """The texts in a few words, such as `texts of 5 characters`."""
        texts = f"texts of {self.length} character{'s' if self.length > 1 else ''}"
        places = ", ".join(map(str, self.restricted))
        return f"{texts}, with only some of all characters at position {places}" if places else texts

    @property
    def length(self) -> int:
        """The number of characters of every text."""
        return len(self.alphabets)

    @cached_property
    def restricted(self) -> dict[int, str]:
        """The characters of each position, from 1, where not every character can stand."""
        return {place: allowed for place, allowed in enumerate(self.alphabets, start=1) if allowed is not None}

    def allows(self, text: str) -> bool:
        """Whether a text can be read at all."""
        return len(text) == self.length and all(text[place - 1] in chars for place, chars in self.restricted.items())

    def automaton(self, characters: str) -> Automaton:
        """The automaton of all texts, for the characters of a model. Each alphabet has at least one of them."""
        transitions = np.full((self.length + 1, len(characters)), DEAD, np.int64)
        for state, allowed in enumerate(self.alphabets):
            columns = slice(None) if allowed is None else [characters.index(character) for character in allowed]
            transitions[state, columns] = state + 1
        found = automaton_of(transitions, np.arange(self.length + 1) == self.length, self.length)
        if found is None:
            raise ValueError(f"No text of {characters!r} fits {self}.")
        return found

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Knowledge":
        """The knowledge in a logged `decoding`, as `to_dict` wrote it."""
        return cls(tuple(values["alphabets"]))

    def to_dict(self) -> dict[str, Any]:
        """Plain values, fit for JSON."""
        return {"alphabets": list(self.alphabets)}

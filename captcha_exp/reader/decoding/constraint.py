"""What is known of a text before its image is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from captcha_exp.errors import InputError
from captcha_exp.reader.decoding.automaton import DEAD, Automaton, automaton_of
from captcha_exp.reader.decoding.lexicon import encode_words, lexicon_states
from captcha_exp.reader.decoding.pattern import pattern_states


@dataclass(frozen=True)
class Constraint:
    """What is known of a text; None is nothing. All that is given holds at once.

    Attributes:
        pattern: a regular expression for the whole text.
        alphabet: the characters that can occur.
        min_length, max_length: in characters.
        lexicon: the texts there are.
    """

    pattern: str | None = None
    alphabet: str | None = None
    min_length: int | None = None
    max_length: int | None = None
    lexicon: tuple[str, ...] | None = None

    def __bool__(self) -> bool:
        return self != Constraint()

    def __str__(self) -> str:
        """The keys as they are typed."""
        given = {name: value for name, value in vars(self).items() if value is not None}
        if self.lexicon is not None:
            given["lexicon"] = f"({len(self.lexicon)} words)"
        return " ".join(f"{name}={value}" for name, value in given.items())


def build_automaton(constraint: Constraint, characters: str, time_steps: int) -> Automaton:
    """The texts that a model can read and that satisfy a constraint.

    Args:
        characters: what the model can read.
        time_steps: how many the model gives.

    Raises:
        InputError: there is no such text, or the constraint is not well-formed.
    """
    _check_lengths(constraint)
    alphabet = characters if constraint.alphabet is None else constraint.alphabet
    usable = "".join(character for character in characters if character in set(alphabet))
    if not usable:
        raise InputError(f"alphabet={constraint.alphabet} has none of the model's characters: {characters}")
    pattern = ".*" if constraint.pattern is None else constraint.pattern
    transitions, accepting = _with_all_columns(*pattern_states(pattern, usable, time_steps), usable, characters)
    # More characters than time steps cannot be read, however many more.
    least = None if constraint.min_length is None else min(constraint.min_length, time_steps + 1)
    most = None if constraint.max_length is None else min(constraint.max_length, time_steps)
    transitions, accepting = _of_length(transitions, accepting, least, most)
    if constraint.lexicon is not None:
        words = _accepted(encode_words(constraint.lexicon, characters)[0], transitions, accepting)
        if not len(words):
            raise InputError(f"{constraint} leaves no word that this model can read; its characters are {characters}")
        transitions, accepting = lexicon_states(words, len(characters))
    automaton = automaton_of(transitions, accepting)
    if automaton is None:
        raise InputError(f"No text satisfies {constraint}; the model's characters are {characters}")
    if automaton.min_time_steps > time_steps:
        raise InputError(
            f"{constraint} needs at least {automaton.min_time_steps} time steps, but this model gives {time_steps}."
        )
    return automaton


def read_lexicon(path: Path) -> tuple[str, ...]:
    """The words of a UTF-8 text file, one a line; empty lines are left out.

    Raises:
        InputError: there is no such file, or it is not UTF-8 text.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise InputError(f"lexicon={path} cannot be read: {reason}.") from error
    words = tuple(dict.fromkeys(line.strip() for line in lines if line.strip()))
    if not words:
        raise InputError(f"lexicon={path} has no words; write one a line.")
    return words


def unreadable_words(words: Sequence[str], characters: str) -> list[str]:
    """The words with a character that a model does not know; it can never read them."""
    readable = encode_words(words, characters)[1]
    return [word for word, known in zip(words, readable, strict=True) if not known]


def _check_lengths(constraint: Constraint) -> None:
    least, most = constraint.min_length, constraint.max_length
    for name, value in (("min_length", least), ("max_length", most)):
        if value is not None and value < 0:
            raise InputError(f"{name} must be at least 0, not {value}.")
    if least is not None and most is not None and least > most:
        raise InputError(f"min_length {least} is above max_length {most}.")


def _with_all_columns(
    transitions: np.ndarray, accepting: np.ndarray, usable: str, characters: str
) -> tuple[np.ndarray, np.ndarray]:
    """A state table over some of the characters as one over all of them."""
    columns = [characters.index(character) for character in usable]
    widened = np.full((len(transitions), len(characters)), DEAD, np.int64)
    widened[:, columns] = transitions
    return widened, accepting


def _of_length(
    transitions: np.ndarray, accepting: np.ndarray, least: int | None, most: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """The same texts, counted: a state becomes one for each number of characters read."""
    if least is None and most is None:
        return transitions, accepting
    counted = most if most is not None else least or 0  # the last count stands for all above it if there is no most
    states, classes = transitions.shape
    counts = np.arange(counted + 1)
    following = counts + 1 if most is not None else np.minimum(counts + 1, counted)
    grown = transitions + states * following[:, np.newaxis, np.newaxis]  # (count, S, C)
    grown[:, transitions == DEAD] = DEAD
    if most is not None:
        grown[-1] = DEAD
    long_enough = counts >= (least or 0)
    return grown.reshape(-1, classes), (long_enough[:, np.newaxis] & accepting).reshape(-1)


def _accepted(ids: np.ndarray, transitions: np.ndarray, accepting: np.ndarray) -> np.ndarray:
    """Those of some words, int (N, L) padded with the blank, that a state table accepts."""
    state = np.zeros(len(ids), np.int64)
    for column in ids.T:
        inside = (column > 0) & (state != DEAD)
        state[inside] = transitions[state[inside], column[inside] - 1]
    return ids[(state != DEAD) & accepting[state]]

"""What is known about a text before its image is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from captcha_exp.errors import InputError
from captcha_exp.reader.decoding.automaton import DEAD, Automaton, automaton_of
from captcha_exp.reader.decoding.budget import (
    MAX_LETTERS,
    MAX_LEXICON_BYTES,
    most_states,
    shown,
    too_large,
)
from captcha_exp.reader.decoding.lengths import of_length
from captcha_exp.reader.decoding.lexicon import encode_words, lexicon_states
from captcha_exp.reader.decoding.pattern import pattern_states


@dataclass(frozen=True)
class Constraint:
    """What is known about a text; None means that nothing is known. A text must satisfy all given parts.

    Attributes:
        pattern: a regular expression for the whole text.
        alphabet: the characters that can occur.
        min_length, max_length: in characters.
        lexicon: the possible texts.
    """

    pattern: str | None = None
    alphabet: str | None = None
    min_length: int | None = None
    max_length: int | None = None
    lexicon: tuple[str, ...] | None = None

    def __bool__(self) -> bool:
        return self != Constraint()

    def __str__(self) -> str:
        """The keys as a user types them."""
        given = {name: value for name, value in vars(self).items() if value is not None}
        given |= {name: shown(value) for name, value in given.items() if isinstance(value, str)}
        if self.lexicon is not None:
            given["lexicon"] = f"({len(self.lexicon)} words)"
        return " ".join(f"{name}={value}" for name, value in given.items())


def build_automaton(constraint: Constraint, characters: str, time_steps: int) -> Automaton:
    """The automaton of all texts that a model can read and that satisfy a constraint.

    Args:
        characters: the characters that the model can read.
        time_steps: the model's number of time steps.

    Raises:
        InputError: there is no such text, or the constraint is malformed.
    """
    _check_lengths(constraint)
    allowed = set(characters if constraint.alphabet is None else constraint.alphabet)
    usable = "".join(sorted(allowed & set(characters)))
    if not usable:
        raise InputError(
            f"alphabet={shown(constraint.alphabet or '')} has none of the model's characters: {characters}"
        )
    transitions, accepting = _pattern_and_lengths(constraint, usable, characters, time_steps)
    if constraint.lexicon is not None:
        words = _accepted(_readable_words(constraint, characters, time_steps), transitions, accepting)
        if not len(words):
            raise _no_word(constraint, characters)
        trie = lexicon_states(words, len(characters))
        if trie is None:
            raise _too_many_words(constraint)
        transitions, accepting = trie
    automaton = automaton_of(transitions, accepting, time_steps + 1)
    if automaton is None:
        raise InputError(
            f"No text satisfies {constraint}; the model's characters are {characters}, of which it reads at most "
            f"{time_steps} in an image."
        )
    if automaton.min_time_steps > time_steps:
        raise _needs(constraint, automaton.min_time_steps, time_steps)
    return automaton


def read_lexicon(path: Path) -> tuple[str, ...]:
    """The words of a UTF-8 text file, one word per line. Empty lines are left out.

    Raises:
        InputError: the file does not exist, is too large, has no words, or is not UTF-8 text.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_LEXICON_BYTES + 1)  # a special file may never end
        lines = data.decode("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise InputError(f"lexicon={path} cannot be read: {reason}.") from error
    if len(data) > MAX_LEXICON_BYTES:
        raise InputError(f"lexicon={path} has more than {MAX_LEXICON_BYTES >> 20} MiB; leave words out.")
    words = tuple(dict.fromkeys(line.strip() for line in lines if line.strip()))
    if not words:
        raise InputError(f"lexicon={path} has no words; write one a line.")
    return words


def unreadable_words(words: Sequence[str], characters: str) -> list[str]:
    """The words that a model can never read, because it does not know one of their characters."""
    known = set(characters)
    return [word for word in words if not known.issuperset(word)]


def _check_lengths(constraint: Constraint) -> None:
    least, most = constraint.min_length, constraint.max_length
    for name, value in (("min_length", least), ("max_length", most)):
        if value is not None and value < 0:
            raise InputError(f"{name} must be at least 0, not {value}.")
    if least is not None and most is not None and least > most:
        raise InputError(f"min_length {least} is above max_length {most}.")


def _needs(constraint: Constraint, needed: int, time_steps: int) -> InputError:
    return InputError(f"{constraint} needs at least {needed} time steps, but this model gives {time_steps}.")


def _pattern_and_lengths(
    constraint: Constraint, usable: str, characters: str, time_steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """The state table, over all characters, of the whole constraint except the lexicon."""
    classes = len(characters)
    # If only lengths are known, there are no more states than time steps, and no limit is needed.
    pattern, most = (".*", time_steps + 2) if constraint.pattern is None else (constraint.pattern, most_states(classes))
    narrow, accepting = pattern_states(pattern, usable, time_steps, most)
    transitions = np.full((len(narrow), classes), DEAD, np.int64)
    transitions[:, [characters.index(character) for character in usable]] = narrow
    # A text with more characters than time steps can never be read, so a larger minimum changes nothing.
    shortest = min(constraint.min_length, time_steps + 1) if constraint.min_length else None
    longest = None if constraint.max_length is None or constraint.max_length >= time_steps else constraint.max_length
    counted = of_length(transitions, accepting, shortest, longest, most)
    if counted is None:
        raise too_large(str(constraint), f"with its lengths it needs more than {most} states")
    return counted


def _no_word(constraint: Constraint, characters: str) -> InputError:
    return InputError(f"{constraint} leaves no word that this model can read; its characters are {characters}")


def _too_many_words(constraint: Constraint) -> InputError:
    return InputError(f"{constraint} has too many words of too many characters; leave the rarest out.")


def _readable_words(constraint: Constraint, characters: str, time_steps: int) -> np.ndarray:
    """The words that a model can read at all, as int (N, L) padded with the blank."""
    known = set(characters)
    readable = [word for word in constraint.lexicon or () if known.issuperset(word)]
    words = [word for word in readable if len(word) <= time_steps]
    if not readable:
        raise _no_word(constraint, characters)
    if not words:
        raise _needs(constraint, min(map(len, readable)), time_steps)
    if len(words) * max(map(len, words)) > MAX_LETTERS:
        raise _too_many_words(constraint)
    return encode_words(words, characters)


def _accepted(ids: np.ndarray, transitions: np.ndarray, accepting: np.ndarray) -> np.ndarray:
    """The words, int (N, L) padded with the blank, that a state table accepts."""
    state = np.zeros(len(ids), np.int64)
    for column in ids.T:
        inside = (column > 0) & (state != DEAD)
        state[inside] = transitions[state[inside], column[inside] - 1]
    return ids[(state != DEAD) & accepting[state]]

"""Limits for the work that a constraint may cause."""

import time

from captcha_exp.errors import InputError

# Short texts need far less. Without limits, a pattern of a few characters could fill the memory or run for a day.
MAX_PATTERN = 1_000  # characters
MAX_POSITIONS = 2_000
MAX_STATES = 5_000
MAX_CELLS = 50_000  # states times characters: the cost of each time step when an image is read
# A word list is the user's own and may be large. These limit its file, its words times the longest one, and its trie.
MAX_LEXICON_BYTES = 64 << 20
MAX_LETTERS = 20_000_000
MAX_LEXICON_CELLS = 64_000_000
# This many states are allowed for any number of characters, for instance for Chinese.
_STATES_AT_LEAST = 128
# `benchmarks.pattern_cost` measures the time of this many steps.
MAX_STEPS = 60_000
# The steps take a few milliseconds. If somebody finds a pattern with slower steps, this limit stops it.
MAX_SECONDS = 0.5
_STEPS_BETWEEN_LOOKS = 1_000
_SHOWN = 200  # characters


class Budget:
    """The work that is still allowed for one pattern.

    Steps are counted, so every machine accepts and refuses the same patterns.

    Attributes:
        steps: the steps that are used so far.
    """

    def __init__(self, pattern: str) -> None:
        """Begin with no steps used."""
        self.steps = 0
        self._pattern = pattern
        self._until = time.thread_time() + MAX_SECONDS
        self._looked = 0  # the number of steps at the last look at the clock

    def spend(self, steps: int) -> None:
        """Count some steps. Each takes a few tenths of a microsecond.

        Raises:
            InputError: there are too many steps.
        """
        self.steps += steps
        if self.steps > MAX_STEPS:
            raise self.exceeded(f"it needs more than {MAX_STEPS} steps to be prepared")
        if self.steps - self._looked < _STEPS_BETWEEN_LOOKS:
            return
        self._looked = self.steps
        if time.thread_time() > self._until:
            raise self.exceeded(f"it needs more than {1000 * MAX_SECONDS:g} ms to be prepared")

    def exceeded(self, reason: str) -> InputError:
        """The error for a pattern that is too large."""
        return too_large(f"pattern={shown(self._pattern)}", reason)


def too_large(known: str, reason: str) -> InputError:
    """The error for a constraint whose automaton would be too large."""
    return InputError(f"{known} is too large: {reason}. Use smaller counts, fewer alternatives or a word list.")


def most_states(classes: int) -> int:
    """The most states of an automaton over this many characters."""
    return min(MAX_STATES, max(_STATES_AT_LEAST, MAX_CELLS // classes))


def shown(text: str) -> str:
    """The user's text, shortened to fit into one line of a message."""
    line = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text[:_SHOWN])
    return line if len(text) <= _SHOWN else f"{line}... ({len(text)} characters)"

"""How much work what is known of a text may cost."""

import time

from captcha_exp.errors import InputError

# Far beyond what short texts need; without bounds a few characters of pattern fill the memory or the day.
MAX_PATTERN = 1_000  # characters
MAX_POSITIONS = 2_000
MAX_STATES = 5_000
MAX_CELLS = 50_000  # states times characters: what reading an image costs, at each time step
# A word list is the user's own, and may be large: the bytes of its file, its words times the longest, its trie.
MAX_LEXICON_BYTES = 64 << 20
MAX_LETTERS = 20_000_000
MAX_LEXICON_CELLS = 64_000_000
# However many characters a model has, as for those of Chinese, so many states are allowed.
_STATES_AT_LEAST = 128
# `benchmarks.pattern_cost` measures what so many take.
MAX_STEPS = 60_000
# The steps are few milliseconds. Should a pattern be found whose steps are not, this ends it.
MAX_SECONDS = 0.5
_STEPS_BETWEEN_LOOKS = 1_000
_SHOWN = 200  # characters


class Budget:
    """What is left to spend on one pattern.

    Steps are counted, so that a pattern is refused or taken alike on every machine.

    Attributes:
        steps: spent so far.
    """

    def __init__(self, pattern: str) -> None:
        """Begin with nothing spent."""
        self.steps = 0
        self._pattern = pattern
        self._until = time.thread_time() + MAX_SECONDS
        self._looked = 0  # at the clock, at so many steps

    def spend(self, steps: int) -> None:
        """Count some steps, which take a few tenths of a microsecond each.

        Raises:
            InputError: they are too many.
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
        """The error that tells of too large a pattern."""
        return too_large(f"pattern={shown(self._pattern)}", reason)


def too_large(known: str, reason: str) -> InputError:
    """The error that tells of something known of which the automaton would be too large."""
    return InputError(f"{known} is too large: {reason}. Use smaller counts, fewer alternatives or a word list.")


def most_states(classes: int) -> int:
    """States that an automaton over so many characters may have."""
    return min(MAX_STATES, max(_STATES_AT_LEAST, MAX_CELLS // classes))


def shown(text: str) -> str:
    """What was typed, fit for one line of a message."""
    line = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text[:_SHOWN])
    return line if len(text) <= _SHOWN else f"{line}... ({len(text)} characters)"

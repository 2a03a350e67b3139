"""Keeps automata for later images with the same constraint."""

import threading
from collections import OrderedDict
from collections.abc import Callable

from captcha_exp.reader.decoding.automaton import Automaton
from captcha_exp.reader.decoding.constraint import Constraint

MOST_KEPT = 32
MOST_BYTES = 64 << 20


class AutomatonCache:
    """The automata that were used last, up to a memory limit. The very last one is always kept.

    Several threads may use it at once.
    """

    def __init__(self, build: Callable[[Constraint], Automaton]) -> None:
        """Take the function that builds a missing automaton."""
        self._build = build
        self._kept: OrderedDict[Constraint, Automaton] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, constraint: Constraint) -> Automaton:
        """The automaton of a constraint. Errors of building it are raised."""
        with self._lock:
            if constraint in self._kept:
                self._kept.move_to_end(constraint)
                return self._kept[constraint]
        automaton = self._build(constraint)  # without the lock, so other threads need not wait
        with self._lock:
            self._kept[constraint] = automaton
            while len(self._kept) > 1 and (len(self._kept) > MOST_KEPT or self.nbytes > MOST_BYTES):
                self._kept.popitem(last=False)
        return automaton

    def __len__(self) -> int:
        """Number of automata that are kept."""
        return len(self._kept)

    @property
    def nbytes(self) -> int:
        """Memory of the kept automata, in bytes."""
        return sum(automaton.nbytes for automaton in self._kept.values())

"""Automata kept for the next images of the same knowledge."""

import threading
from collections import OrderedDict
from collections.abc import Callable

from captcha_exp.reader.decoding.automaton import Automaton
from captcha_exp.reader.decoding.constraint import Constraint

MOST_KEPT = 32
MOST_BYTES = 64 << 20


class AutomatonCache:
    """The automata that were used last, as far as they fit; the very last one is kept whatever its size.

    May be used from several threads at once.
    """

    def __init__(self, build: Callable[[Constraint], Automaton]) -> None:
        """Take what makes an automaton that is not kept."""
        self._build = build
        self._kept: OrderedDict[Constraint, Automaton] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, constraint: Constraint) -> Automaton:
        """The automaton of a constraint; raises what building it raises."""
        with self._lock:
            if constraint in self._kept:
                self._kept.move_to_end(constraint)
                return self._kept[constraint]
        automaton = self._build(constraint)  # others need not wait for it
        with self._lock:
            self._kept[constraint] = automaton
            while len(self._kept) > 1 and (len(self._kept) > MOST_KEPT or self.nbytes > MOST_BYTES):
                self._kept.popitem(last=False)
        return automaton

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._kept)

    @property
    def nbytes(self) -> int:
        """What is kept takes in memory."""
        return sum(automaton.nbytes for automaton in self._kept.values())

"""The probability of a word list. Its automaton is a tree and may be large."""

import numpy as np

from captcha_exp.reader.decoding.automaton import Automaton
from captcha_exp.reader.decoding.emissions import log_sum
from captcha_exp.reader.vocabulary import BLANK

# A share of a probability that is too small to be worth computing.
NEGLIGIBLE = 1e-7


class Tree:
    """An automaton in which only one path leads to each node."""

    def __init__(self, automaton: Automaton) -> None:
        """Take an automaton whose `is_tree` is true."""
        source, target, _ = automaton.edges()
        # In a tree each state has one node, and both have the same number.
        self._parent = np.zeros(len(automaton.state), np.int64)
        self._parent[target] = source
        self._character = automaton.character
        self._accepting = automaton.accepting
        self._levels = self._by_depth()

    def log_accepted(self, emissions: np.ndarray, at_least: float) -> float:
        """Log probability of all words, for (T, K) float64. Words that are negligible beside `at_least` are omitted."""
        kept = self._worthwhile(emissions, at_least)
        parent = np.searchsorted(kept, self._parent[kept])
        character = self._character[kept]
        repeats = np.flatnonzero(character == character[parent])  # with the root, which has no way to it
        ended, blank = np.zeros(len(kept)), np.zeros(len(kept))
        blank[0] = 1.0
        log_scale = 0.0
        for step in emissions:
            total = ended + blank
            entering = total[parent]
            # Two equal characters without a blank between them count as one.
            entering[repeats] = blank[parent[repeats]]
            entering[0] = 0.0
            ended = (ended + entering) * step[character]
            blank = total * step[BLANK]
            scale = max(ended.max(), blank.max())
            ended /= scale
            blank /= scale
            log_scale += float(np.log(scale))
        return log_sum(ended + blank, self._accepting[kept], log_scale)

    def _worthwhile(self, emissions: np.ndarray, at_least: float) -> np.ndarray:
        """Nodes whose words together matter, in order, each with all nodes above it.

        The words below a node need each character on the path to the node at some step. So their total probability is
        at most the product of the expected numbers of steps of these characters.
        """
        if at_least == -np.inf:
            return np.arange(len(self._parent))
        expected = np.minimum(emissions.sum(axis=0), 1.0)
        most = np.ones(len(self._parent))
        for level in self._levels:
            most[level] = most[self._parent[level]] * expected[self._character[level]]
        return np.flatnonzero(most >= np.exp(at_least) * NEGLIGIBLE / len(most))

    def _by_depth(self) -> list[slice | np.ndarray]:
        """The nodes at each depth below the root."""
        depth = np.zeros(len(self._parent), np.int64)
        while True:
            deeper = depth[self._parent] + 1
            deeper[0] = 0
            if (deeper == depth).all():
                break
            depth = deeper
        return [np.flatnonzero(depth == level) for level in range(1, int(depth.max()) + 1)]

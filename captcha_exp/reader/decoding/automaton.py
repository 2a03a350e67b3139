"""Sets of texts as a deterministic automaton, numbered for CTC."""

from dataclasses import dataclass

import numpy as np

from captcha_exp.reader.vocabulary import BLANK

# More time steps than any model has.
NEVER = 1 << 30
DEAD = -1


@dataclass(frozen=True, eq=False)
class Automaton:
    """The texts that can be, over C characters; character i has the class id i + 1.

    What CTC has to know besides the state reached is the character read last: each pair of the two is a node. Node 0 is
    the start, before any character; the nodes of a state are neighbours.

    Attributes:
        next: int32 (S, C), the node that a character leads to from a state, `DEAD` where no text goes on so.
        state: int (N,), of each node.
        character: int (N,), class id of each node; the blank's for node 0.
        accepting: bool (S,), whether a text may end in a state.
        steps_after_blank: int (S,), fewest further time steps to an end from a state whose last step was a blank.
        steps: int (N,), the same where the node's character was the last step.
    """

    next: np.ndarray
    state: np.ndarray
    character: np.ndarray
    accepting: np.ndarray
    steps_after_blank: np.ndarray
    steps: np.ndarray

    @property
    def min_time_steps(self) -> int:
        """Fewest time steps in which CTC can emit one of the texts."""
        return int(self.steps_after_blank[0])

    @property
    def nbytes(self) -> int:
        """What its arrays take in memory."""
        return sum(array.nbytes for array in vars(self).values())

    @property
    def is_tree(self) -> bool:
        """Whether every text has nodes of its own from where it leaves the others."""
        return int((self.next != DEAD).sum()) == len(self.state) - 1 == len(self.accepting) - 1

    def edges(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Every transition: its source state, its target node, and the node of its source state with its character.

        Sorted by target; the third is -1 where there is no such node.
        """
        source, column = np.nonzero(self.next != DEAD)
        target = self.next[source, column]
        order = np.argsort(target, kind="stable")
        source, column, target = source[order], column[order], target[order]
        return source, target, self._node(source, column + 1)

    def _node(self, states: np.ndarray, ids: np.ndarray) -> np.ndarray:
        keys = _key(self.state, self.character, self.next.shape[1])
        wanted = _key(states, ids, self.next.shape[1])
        places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return np.where(keys[places] == wanted, places, -1)


def automaton_of(transitions: np.ndarray, accepting: np.ndarray, longest: int) -> Automaton | None:
    """Number the nodes of a state table, less the states through which no text goes that is short enough.

    Args:
        transitions: int (S, C), the state that each character leads to, `DEAD` for none; state 0 is the start.
        accepting: bool (S,).
        longest: length of the longest text that matters.

    Returns:
        The automaton, or None if it accepts nothing.
    """
    transitions, accepting = _without_useless(transitions, accepting, longest)
    if not len(accepting):
        return None
    classes = transitions.shape[1]
    source, column = np.nonzero(transitions != DEAD)
    reached = _key(transitions[source, column], column + 1, classes)
    keys = np.unique(np.append(reached, _key(np.zeros(1, np.int64), np.array([BLANK]), classes)))
    state, character = keys // (classes + 1), keys % (classes + 1)
    successors = np.full(transitions.shape, DEAD, np.int32)
    successors[source, column] = np.searchsorted(keys, reached)
    edges = source, column + 1, successors[source, column]
    return Automaton(successors, state, character, accepting, *_steps_to_end(*edges, state, character, accepting))


def _key(state: np.ndarray, character: np.ndarray, classes: int) -> np.ndarray:
    return state.astype(np.int64) * (classes + 1) + character


def _without_useless(transitions: np.ndarray, accepting: np.ndarray, longest: int) -> tuple[np.ndarray, np.ndarray]:
    """Keep the states that can be reached and from which an end can be; the start stays first."""
    source, column = np.nonzero(transitions != DEAD)
    target = transitions[source, column]
    start = np.arange(len(accepting)) == 0
    # Of the shortest text through each state: then those before it on that text's way are kept too.
    length = _distance(start, source, target, longest) + _distance(accepting, target, source, longest)
    useful = length <= longest
    if useful.all():
        return transitions, accepting
    if not useful[0]:
        return transitions[:0], accepting[:0]
    renumbered = np.where(useful, np.cumsum(useful) - 1, DEAD)
    kept = transitions[useful]
    return np.where(kept == DEAD, DEAD, renumbered[kept]), accepting[useful]


def _distance(marked: np.ndarray, source: np.ndarray, target: np.ndarray, most: int) -> np.ndarray:
    """Transitions from the marked states to each; `NEVER` where they are more than `most`."""
    distance = np.where(marked, 0, NEVER)
    last = marked
    for step in range(1, most + 1):
        found = np.zeros(len(marked), bool)
        found[target[last[source]]] = True
        last = found & (distance == NEVER)
        if not last.any():
            break
        distance[last] = step
    return distance


def _steps_to_end(
    source: np.ndarray,
    label: np.ndarray,
    target: np.ndarray,
    state: np.ndarray,
    character: np.ndarray,
    accepting: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Fewest time steps to an end: (S,) after a blank, (N,) after the node's own character.

    Nodes and states are reached backwards from the ends, the nearest first, so each transition is looked at once.

    Args:
        source, label, target: (E,), the state, class id and node of every transition.
        state, character: (N,), of each node.
        accepting: (S,).
    """
    order = np.argsort(target, kind="stable")
    source, label = source[order], label[order]
    begins = np.searchsorted(target[order], np.arange(len(state) + 1))
    after_blank = np.where(accepting, 0, NEVER)
    steps = after_blank[state]
    own = np.full(len(accepting), BLANK)  # the only character with which a state's nearest transitions are made
    done = farthest = 0
    while done <= farthest:
        edges = _ranges(begins, np.flatnonzero(steps == done))
        edges = edges[after_blank[source[edges]] == NEVER]
        done += 1
        if len(edges):
            nearest = source[edges]
            after_blank[nearest] = done
            own[nearest] = label[edges]
            own[nearest[own[nearest] != label[edges]]] = BLANK  # there are several
            found = np.flatnonzero(after_blank[state] == done)
            # To repeat its own character, a node has to pass a blank first.
            repeats = (character[found] == own[state[found]]) & (character[found] != BLANK)
            steps[found] = done + repeats
            farthest = done + 1
    return after_blank, steps


def _ranges(begins: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """The numbers from `begins[i]` to below `begins[i + 1]` of each chosen i."""
    lengths = begins[chosen + 1] - begins[chosen]
    before = np.cumsum(lengths) - lengths
    return np.repeat(begins[chosen] - before, lengths) + np.arange(lengths.sum())

"""A set of texts as a deterministic automaton, with nodes for CTC."""

from dataclasses import dataclass

import numpy as np

from captcha_exp.reader.vocabulary import BLANK

# This is more than any model's number of time steps.
NEVER = 1 << 30
DEAD = -1


@dataclass(frozen=True, eq=False)
class Automaton:
    """The possible texts over C characters. Character i has the class id i + 1.

    CTC needs to know the current state and the last character. Each such pair is a node. Node 0 is the start, before
    any character. The nodes of a state have consecutive numbers.

    Attributes:
        next: int32 (S, C), the node that a character leads to from a state, or `DEAD` if no text continues like this.
        state: int (N,), the state of each node.
        character: int (N,), class id of each node; node 0 has the blank's.
        accepting: bool (S,), whether a text may end in a state.
        steps_after_blank: int (S,), fewest time steps to the end of a text from a state, if the last step was a blank.
        steps: int (N,), the same from a node, if the last step was the node's character.
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
        """Memory of its arrays, in bytes."""
        return sum(array.nbytes for array in vars(self).values())

    @property
    def is_tree(self) -> bool:
        """Whether the automaton is a tree: texts that differ at some character never meet again."""
        return int((self.next != DEAD).sum()) == len(self.state) - 1 == len(self.accepting) - 1

    def accepts(self, ids: np.ndarray) -> np.ndarray:
        """Whether each text is accepted: class ids (B, L), padded with the blank, to bool (B,)."""
        state, alive = np.zeros(len(ids), np.int64), np.ones(len(ids), bool)
        for column in ids.T:
            node = self.next[state, column - 1]
            moves = alive & (column != BLANK)
            alive &= (column == BLANK) | (node != DEAD)
            state = np.where(moves & alive, self.state[node], state)
        return alive & self.accepting[state]

    def edges(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Every transition: its source state, its target node, and the node of its source state with its character.

        The transitions are sorted by target. The third number is -1 if there is no such node.
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
    """Number the nodes of a state table. States are left out if every text through them is too long.

    Args:
        transitions: int (S, C), the state that each character leads to, or `DEAD`; state 0 is the start.
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
    """Keep the states that can be reached and that can reach an end. The start stays first."""
    source, column = np.nonzero(transitions != DEAD)
    target = transitions[source, column]
    start = np.arange(len(accepting)) == 0
    # The length of the shortest text through each state. The other states of that text are kept, too.
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
    """Number of transitions from the marked states to each state; `NEVER` if it is more than `most`."""
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

    The search goes backwards from the ends, the nearest first, so it looks at each transition once.

    Args:
        source, label, target: (E,), the source state, class id and target node of every transition.
        state, character: (N,), state and class id of each node.
        accepting: (S,).
    """
    order = np.argsort(target, kind="stable")
    source, label = source[order], label[order]
    begins = np.searchsorted(target[order], np.arange(len(state) + 1))
    after_blank = np.where(accepting, 0, NEVER)
    steps = after_blank[state]
    own = np.full(len(accepting), BLANK)  # the character of a state's nearest transitions, if all have the same
    done = farthest = 0
    while done <= farthest:
        edges = _ranges(begins, np.flatnonzero(steps == done))
        edges = edges[after_blank[source[edges]] == NEVER]
        done += 1
        if len(edges):
            nearest = source[edges]
            after_blank[nearest] = done
            own[nearest] = label[edges]
            own[nearest[own[nearest] != label[edges]]] = BLANK  # the characters differ
            found = np.flatnonzero(after_blank[state] == done)
            # A node must pass a blank before it can repeat its own character.
            repeats = (character[found] == own[state[found]]) & (character[found] != BLANK)
            steps[found] = done + repeats
            farthest = done + 1
    return after_blank, steps


def _ranges(begins: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """For each chosen i, the numbers from `begins[i]` up to, but not including, `begins[i + 1]`."""
    lengths = begins[chosen + 1] - begins[chosen]
    before = np.cumsum(lengths) - lengths
    return np.repeat(begins[chosen] - before, lengths) + np.arange(lengths.sum())

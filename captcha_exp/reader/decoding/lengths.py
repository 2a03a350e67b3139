"""State tables of texts of some lengths."""

import numpy as np

from captcha_exp.reader.decoding.automaton import DEAD


def of_length(
    transitions: np.ndarray, accepting: np.ndarray, least: int | None, most: int | None, most_states: int
) -> tuple[np.ndarray, np.ndarray] | None:
    """The same texts, counted: a state becomes one for each number of characters with which it is reached.

    Args:
        transitions: int (S, C), as `automaton_of` takes them.
        accepting: bool (S,).
        least, most: characters of a text; None for no bound.
        most_states: that there may be.

    Returns:
        The state table; None where it would have more states.
    """
    if least is None and most is None:
        return transitions, accepting
    counted = most if most is not None else least or 0  # the last count stands for all above it if there is no most
    layers = [np.zeros(1, np.int64)]  # of each count, the states reached
    size = 1
    for _ in range(counted):
        reached = np.unique(transitions[layers[-1]])
        layers.append(reached[reached != DEAD])
        size += len(layers[-1])
        if size > most_states:
            return None
    if most is None:
        layers[-1] = np.arange(len(accepting))
        if counted == 0:
            return transitions, accepting
    starts = np.cumsum([0, *map(len, layers)])
    if starts[-1] > most_states:
        return None
    grown = np.full((starts[-1], transitions.shape[1]), DEAD, np.int64)
    number = np.full(len(accepting) + 1, DEAD)  # of each state within the next layer; the last is for `DEAD`
    for count, layer in enumerate(layers):
        if most is not None and count == counted:
            break
        following = min(count + 1, counted)
        number[:] = DEAD
        number[layers[following]] = starts[following] + np.arange(len(layers[following]))
        grown[starts[count] : starts[count + 1]] = number[transitions[layer]]
    counts = np.repeat(np.arange(len(layers)), [len(layer) for layer in layers])
    return grown, accepting[np.concatenate(layers)] & (counts >= (least or 0))

"""Restricts state tables to texts of certain lengths."""

import numpy as np

from captcha_exp.reader.decoding.automaton import DEAD


def of_length(
    transitions: np.ndarray, accepting: np.ndarray, least: int | None, most: int | None, most_states: int
) -> tuple[np.ndarray, np.ndarray] | None:
    """Restrict texts to some lengths. A state is split by the number of characters that lead to it.

    Args:
        transitions: int (S, C), as for `automaton_of`.
        accepting: bool (S,).
        least, most: number of characters in a text; None for no limit.
        most_states: the most states of the result.

    Returns:
        The state table, or None if it would have more states.
    """
    if least is None and most is None:
        return transitions, accepting
    counted = most if most is not None else least or 0  # without `most`, the last count includes all higher ones
    layers = [np.zeros(1, np.int64)]  # for each count, the states that are reached
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
    number = np.full(len(accepting) + 1, DEAD)  # each state's number in the next layer; the last entry is for `DEAD`
    for count, layer in enumerate(layers):
        if most is not None and count == counted:
            break
        following = min(count + 1, counted)
        number[:] = DEAD
        number[layers[following]] = starts[following] + np.arange(len(layers[following]))
        grown[starts[count] : starts[count + 1]] = number[transitions[layer]]
    counts = np.repeat(np.arange(len(layers)), [len(layer) for layer in layers])
    return grown, accepting[np.concatenate(layers)] & (counts >= (least or 0))

"""Find where in an image each character of a text was read."""

import numpy as np

_BLANK = 0
_TINY = 1e-30  # replaces the probability 0, which has no logarithm


def align(probabilities: np.ndarray, classes: list[int]) -> list[tuple[int, int]]:
    """The time steps of each character of a text, on the most likely CTC path for that text.

    Args:
        probabilities: (T, K), of each time step and class; class 0 is the blank.
        classes: the text, without blanks; it must fit into T steps.

    Returns:
        First and last step of each character.
    """
    states = [_BLANK, *(part for char in classes for part in (char, _BLANK))]  # blanks may surround each character
    steps, count = len(probabilities), len(states)
    scores = np.log(np.maximum(probabilities[:, states], _TINY))  # (T, S)
    # A state follows itself, the state before, or (between unequal characters) the state before the blank.
    may_skip = np.array([s >= 2 and states[s] not in (_BLANK, states[s - 2]) for s in range(count)])
    best = np.full(count, -np.inf)
    best[:2] = scores[0, :2]
    origins = np.zeros((steps, count), np.int64)
    for step in range(1, steps):
        before = np.concatenate([[-np.inf, -np.inf], best])
        choices = np.stack([best, before[1:-1], np.where(may_skip, before[:-2], -np.inf)])
        origins[step] = choices.argmax(0)
        best = choices.max(0) + scores[step]
    state = count - 1 if count == 1 or best[-1] >= best[-2] else count - 2
    path = np.zeros(steps, np.int64)
    for step in range(steps - 1, -1, -1):
        path[step] = state
        state -= origins[step, state]
    spans = [np.flatnonzero(path == 2 * index + 1) for index in range(len(classes))]
    return [(int(span[0]), int(span[-1])) for span in spans]

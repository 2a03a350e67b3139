"""Finds the texts in class probabilities."""

from dataclasses import dataclass

import numpy as np

from captcha_exp.reader.decoding.automaton import Automaton
from captcha_exp.reader.decoding.beam import beam_search
from captcha_exp.reader.decoding.likelihood import log_language_probability, log_text_probability
from captcha_exp.reader.vocabulary import BLANK

# Greedy decoding has no width of its own. This width is used if alternatives are wanted.
BEAM_WIDTH = 16
# Not every prefix in a beam becomes a separate text.
_BEAMS_PER_TEXT = 4


@dataclass(frozen=True)
class Prediction:
    """A text, with its probability in [0, 1]: the sum over all alignments.

    If there is a constraint, this is the conditional probability given the constraint.
    """

    text: str
    confidence: float


def decode(
    probabilities: np.ndarray, characters: str, beam_width: int | None = None, automaton: Automaton | None = None
) -> list[Prediction]:
    """Read the text of each image.

    Args:
        probabilities: float32 (B, T, K), class 0 the blank.
        characters: K - 1 characters; `characters[i]` is class `i + 1`.
        beam_width: how many prefixes a beam search keeps; None takes the likeliest class of each time step. If that
            is no possible text, a beam search finds one.
        automaton: the possible texts; None for every text. It accepts one that fits into T time steps.

    Returns:
        One prediction for each of the B images, in order. With an automaton the confidence is the probability of the
        text, given that the automaton accepts the text.
    """
    if beam_width is not None:
        return [found[0] for found in decode_alternatives(probabilities, characters, 1, automaton, beam_width)]
    ids = _greedy(probabilities)  # (B, L)
    fits = np.ones(len(ids), bool) if automaton is None else automaton.accepts(ids)
    taken = iter(_scored(probabilities[fits], ids[fits], characters, automaton))
    searched = iter([] if fits.all() else decode_alternatives(probabilities[~fits], characters, 1, automaton))
    return [next(taken) if fit else next(searched)[0] for fit in fits]


def decode_alternatives(
    probabilities: np.ndarray,
    characters: str,
    count: int,
    automaton: Automaton | None = None,
    width: int = BEAM_WIDTH,
) -> list[list[Prediction]]:
    """The likeliest texts of each image that a beam search finds, the likeliest first.

    Args:
        probabilities: float32 (B, T, K), class 0 the blank.
        characters: K - 1 characters; `characters[i]` is class `i + 1`.
        count: the most texts to return, at least 1. There may be fewer if the beam holds fewer.
        automaton: the possible texts; None for every text.
        width: width of the beam. It is increased if many texts are wanted.

    Returns:
        At least one prediction for each of the B images. The confidence is exact for any width. It is the probability
        of the text, given that `automaton` accepts the text.
    """
    if count > 1:
        width = max(width, _BEAMS_PER_TEXT * count)
    ids, found = beam_search(probabilities, width, automaton)  # (B, N, L), (B, N)
    logs = np.where(found, log_text_probability(probabilities, ids), -np.inf)
    order = np.argsort(-logs, axis=1, kind="stable")[:, :count]
    if automaton is not None:
        logs = logs - log_language_probability(probabilities, automaton, logs.max(axis=1))[:, np.newaxis]
    return [
        [_prediction(ids[row, n], logs[row, n], characters) for n in best if found[row, n]]
        for row, best in enumerate(order)
    ]


def _scored(
    probabilities: np.ndarray, ids: np.ndarray, characters: str, automaton: Automaton | None
) -> list[Prediction]:
    """A text of each image, class ids (B, L), with its confidence."""
    logs = log_text_probability(probabilities, ids[:, np.newaxis])[:, 0]
    if automaton is not None:
        logs = logs - log_language_probability(probabilities, automaton, logs)
    return [_prediction(row, log, characters) for row, log in zip(ids, logs, strict=True)]


def _greedy(probabilities: np.ndarray) -> np.ndarray:
    """Class ids of the likeliest alignment, (B, T, K) -> (B, T), padded with the blank."""
    best = probabilities.argmax(axis=2)
    emitted = best != BLANK
    emitted[:, 1:] &= best[:, 1:] != best[:, :-1]
    ids = np.zeros_like(best)
    rows, steps = np.nonzero(emitted)
    ids[rows, np.cumsum(emitted, axis=1)[rows, steps] - 1] = best[rows, steps]
    return ids


def _prediction(ids: np.ndarray, log_probability: float, characters: str) -> Prediction:
    text = "".join(characters[i - 1] for i in ids if i != BLANK)
    return Prediction(text, min(1.0, float(np.exp(log_probability))))

"""Checks whether a confidence says how often the text is right."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from captcha_exp.reader.decoding import Automaton, log_language_probability, log_text_probability

BINS = 10
_TINY = 1e-30
# A usable model needs far less. If a fit ends at one of these limits, it found no minimum.
TEMPERATURES = (0.05, 20.0)


@dataclass(frozen=True)
class Bin:
    """The images whose confidence is in one of `BINS` equal parts of [0, 1], with means over these images."""

    images: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class Reliability:
    """Confidence against accuracy: the bins that are not empty, by rising confidence.

    `expected_calibration_error` is the mean distance between the two, in [0, 1]. All images have the same weight. Lower
    is better.
    """

    bins: list[Bin]
    expected_calibration_error: float


def reliability(confidences: Sequence[float], right: Sequence[bool]) -> Reliability:
    """Compare confidences with the accuracy of their texts.

    Args:
        confidences: one for each image, in [0, 1]; at least one.
        right: whether each image's text is right, in the same order.

    Source:
        Guo et al. 2017, section 2.
    """
    sure, hit = np.asarray(confidences, float), np.asarray(right, bool)
    places = np.minimum((sure * BINS).astype(int), BINS - 1)
    bins = [
        Bin(int(inside.sum()), float(sure[inside].mean()), float(hit[inside].mean()))
        for place in range(BINS)
        if (inside := places == place).any()
    ]
    error = sum(part.images * abs(part.confidence - part.accuracy) for part in bins) / len(sure)
    return Reliability(bins, error)


def fit_temperature(
    probabilities: np.ndarray, class_ids: np.ndarray, right: Sequence[bool], automaton: Automaton | None = None
) -> float | None:
    """The temperature that makes the labels most probable. It is above 1 if the model is too sure of itself.

    Args:
        probabilities: float32 (N, T, K) of images that the model was not trained on.
        class_ids: int (N, L) of the reference texts, padded with the blank. Each text fits into the time steps.
        right: whether each image's text was read right.
        automaton: the possible texts, of which the confidence is conditional; None for every text. Labels that it
            does not accept have no such probability, and are left out.

    Returns:
        A temperature within `TEMPERATURES`. None if all texts are right or all are wrong, because then no temperature
        is the best one.

    Source:
        Guo et al. 2017, section 4.2, with the exact probability of a text as its likelihood.
    """
    if len(set(right)) < 2:
        return None
    class_ids = np.asarray(class_ids)
    if automaton is not None:
        possible = automaton.accepts(class_ids)
        probabilities, class_ids = probabilities[possible], class_ids[possible]
        if not len(class_ids):
            return None
    texts = class_ids[:, np.newaxis]  # (N, 1, L)

    def loss(log_temperature: float) -> float:
        scaled = at_temperature(probabilities, float(np.exp(log_temperature)))
        logs = log_text_probability(scaled, texts)[:, 0]
        if automaton is not None:
            logs = logs - log_language_probability(scaled, automaton, logs)
        return -float(logs.mean(dtype=np.float64))

    found = optimize.minimize_scalar(loss, bounds=np.log(TEMPERATURES), method="bounded", options={"xatol": 0.01})
    return float(np.exp(found.x))


def at_temperature(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Divide the log probabilities of each time step by a temperature and normalise them again: float32 (N, T, K)."""
    powered = np.power(np.maximum(probabilities, _TINY), np.float32(1 / temperature))
    return powered / powered.sum(axis=2, keepdims=True)

"""What a confidence is worth: calibration, temperature, coverage."""

import numpy as np
import pytest

from captcha_exp.metrics.calibration import at_temperature, fit_temperature, reliability
from captcha_exp.metrics.risk_coverage import OperatingPoint, operate, risk_coverage, widest
from captcha_exp.reader.decoding import Knowledge, decode
from captcha_exp.reader.vocabulary import Vocabulary


def read(probabilities: np.ndarray, labels: list[str]) -> tuple[list[float], list[bool]]:
    """The confidence of each image, and whether its text is right."""
    predictions = decode(probabilities, "ab")
    return [p.confidence for p in predictions], [p.text == label for p, label in zip(predictions, labels, strict=True)]


def fitted(probabilities: np.ndarray, labels: list[str]) -> float | None:
    return fit_temperature(probabilities, Vocabulary("ab").encode(labels), read(probabilities, labels)[1])


def noisy(count: int, sharpness: float) -> tuple[np.ndarray, list[str]]:
    """Probabilities of one time step and three classes, and labels drawn from them at sharpness 1."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 1.5, (count, 1, 3))
    logits[:, :, 0] = -9  # hardly ever nothing
    true = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    labels = ["ab"[int(rng.random() > row[1] / (row[1] + row[2]))] for row in true[:, 0]]
    sharp = np.exp(sharpness * logits)
    return (sharp / sharp.sum(axis=2, keepdims=True)).astype(np.float32), labels


def test_the_calibration_error_is_the_weighted_distance_from_the_diagonal() -> None:
    found = reliability([0.05, 0.95, 0.95, 1.0], [False, True, False, True])
    assert [(part.images, round(part.confidence, 6), part.accuracy) for part in found.bins] == [
        (1, 0.05, 0.0), (3, round(2.9 / 3, 6), 2 / 3),
    ]  # fmt: skip
    assert found.expected_calibration_error == pytest.approx(0.25 * 0.05 + 0.75 * (2.9 - 2) / 3)


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_a_wrong_sharpness(sharpness: float) -> None:
    probabilities, labels = noisy(4000, sharpness)
    temperature = fitted(probabilities, labels)
    assert temperature == pytest.approx(sharpness, rel=0.15)
    after = reliability(*read(at_temperature(probabilities, temperature), labels))
    assert after.expected_calibration_error < 0.03


def test_a_temperature_needs_right_and_wrong_texts() -> None:
    probabilities, _ = noisy(20, 1.0)
    right = ["ab"[int(row[0, 2] > row[0, 1])] for row in probabilities]
    assert fitted(probabilities, right) is None
    assert fitted(probabilities, ["ab"[label == "a"] for label in right]) is None


def test_scaled_probabilities_are_probabilities() -> None:
    probabilities, _ = noisy(20, 1.0)
    scaled = at_temperature(probabilities, 0.2)
    np.testing.assert_allclose(scaled.sum(axis=2), 1, rtol=1e-5)
    np.testing.assert_allclose(at_temperature(probabilities, 1.0), probabilities, rtol=1e-5)


def test_the_temperature_is_that_of_the_confidence_which_is_conditional_with_knowledge() -> None:
    """Half of each image's probability is on no text at all, which no label is: only without knowledge that matters."""
    probabilities, labels = noisy(2000, sharpness=2.0)
    hedged = probabilities * 0.5
    hedged[:, :, 0] += 0.5
    automaton = Knowledge((None,)).automaton("ab")
    class_ids, right = Vocabulary("ab").encode(labels), read(probabilities, labels)[1]
    known = fit_temperature(hedged, class_ids, right, automaton)
    assert known == pytest.approx(2.0, rel=0.15)
    assert fit_temperature(hedged, class_ids, right) != pytest.approx(known, rel=0.15)
    assert fit_temperature(hedged, np.repeat(class_ids, 2, axis=1), right, automaton) is None, "no label is possible"


def test_images_of_equal_confidence_are_read_together() -> None:
    points = risk_coverage([0.5, 0.9, 0.5, 0.2], [True, True, False, False])
    assert points == [
        OperatingPoint(0.9, 0.25, 1.0), OperatingPoint(0.5, 0.75, 2 / 3), OperatingPoint(0.2, 1.0, 0.5),
    ]  # fmt: skip
    assert widest(points, 0.6) == points[1]
    assert widest(points, 0.99) == points[0]


def test_no_threshold_may_reach_an_accuracy() -> None:
    assert widest(risk_coverage([0.5, 0.9], [True, False]), 0.99) is None


def test_a_threshold_that_was_chosen_elsewhere_is_judged_here() -> None:
    assert operate([0.5, 0.9, 0.7], [True, False, True], 0.7) == OperatingPoint(0.7, 2 / 3, 0.5)
    assert operate([0.5], [True], 0.7) is None

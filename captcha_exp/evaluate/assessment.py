"""All figures of one model on one set of images."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from captcha_exp.dataset import Split
from captcha_exp.dataset.writable_labels import Unwritable, writable
from captcha_exp.metrics.accuracy import edit_distance
from captcha_exp.metrics.accuracy_by_part import Part, by_character, by_length, by_origin
from captcha_exp.metrics.calibration import Reliability, at_temperature, fit_temperature, reliability
from captcha_exp.metrics.intervals import LEVEL, Interval, ratio_interval, share_interval
from captcha_exp.metrics.risk_coverage import OperatingPoint, operate, risk_coverage, widest
from captcha_exp.model.evaluator import Evaluation, evaluate_probabilities
from captcha_exp.model.forward_pass import ForwardPass
from captcha_exp.reader.decoding import Decoder
from captcha_exp.reader.vocabulary import Vocabulary

# The usual goal for a reader that works without a person.
TARGET_ACCURACY = 0.99


@dataclass(frozen=True)
class Calibration:
    """Reliability of the confidences, before and after scaling by a `temperature` fitted on validation images."""

    before: Reliability
    temperature: float | None
    after: Reliability | None


@dataclass(frozen=True)
class Selective:
    """Reading only the certain images.

    `threshold` is the confidence that `validation_images` images chose for `TARGET_ACCURACY`, None if none reaches it.
    `chosen` is what it gives on the judged images, None if it reads none of them. What the judged images themselves
    choose flatters: `widest` is the point with the most images of that accuracy, `curve` has all points.
    """

    validation_images: int
    threshold: float | None
    chosen: OperatingPoint | None
    widest: OperatingPoint | None
    curve: list[OperatingPoint]


@dataclass(frozen=True)
class Assessment:
    """One model on one set of images.

    `intervals` are by metric of `evaluation`: Wilson's interval for a share, a bootstrap interval for the character
    error rate. `parts` is the accuracy by length, character and origin. `unwritable` counts the labels that the model
    cannot write; they count as wrong.
    """

    evaluation: Evaluation
    intervals: dict[str, Interval]
    parts: dict[str, list[Part]]
    calibration: Calibration
    selective: Selective
    unwritable: Unwritable

    def metrics(self) -> dict[str, float]:
        """The figures that are kept on a run, by name."""
        named = dict(self.evaluation.metrics)
        for name, interval in self.intervals.items():
            named |= {f"{name}/low": interval.low, f"{name}/high": interval.high}
        named["expected_calibration_error"] = self.calibration.before.expected_calibration_error
        if self.calibration.after is not None and self.calibration.temperature is not None:
            named["temperature"] = self.calibration.temperature
            named["expected_calibration_error/scaled"] = self.calibration.after.expected_calibration_error
        if self.selective.chosen is not None:
            named["read_by_itself"] = self.selective.chosen.coverage
            named["read_by_itself/sequence_accuracy"] = self.selective.chosen.accuracy
        named["coverage_at_99"] = self.selective.widest.coverage if self.selective.widest else 0.0
        return named

    def to_plain(self) -> dict[str, Any]:
        """Everything except the texts as plain values, fit for JSON."""
        return {
            "images": len(self.evaluation.labels),
            "unwritable": asdict(self.unwritable),
            "metrics": self.evaluation.metrics,
            "interval_level": LEVEL,
            "intervals": {name: asdict(interval) for name, interval in self.intervals.items()},
            "parts": {name: [asdict(part) for part in parts] for name, parts in self.parts.items()},
            "calibration": asdict(self.calibration),
            "selective": {"target_accuracy": TARGET_ACCURACY, **asdict(self.selective)},
        }


def assess(
    forward_pass: ForwardPass,
    judged: Split,
    validation: Split | None,
    decoder: Decoder,
    *,
    resamples: int,
    seed: int,
) -> Assessment:
    """Judge a model on images. Temperature and threshold are chosen on validation images.

    Args:
        forward_pass: of the model.
        judged: the images, at least two.
        validation: other images that the model was not trained on; None skips the temperature and the threshold.
        decoder: how the model reads a text.
        resamples: number of bootstrap draws.
        seed: seed of the draws.
    """
    probabilities = forward_pass(judged.images)
    result = evaluate_probabilities(probabilities, judged.labels, decoder)
    right = _right(result.labels, result.predictions)
    curve = risk_coverage(result.confidences, right)
    temperature, threshold = None, None
    if validation is not None:
        held_out = forward_pass(validation.images)
        chosen_on = evaluate_probabilities(held_out, validation.labels, decoder)
        hits = _right(chosen_on.labels, chosen_on.predictions)
        temperature = _temperature(held_out, validation.labels, hits, decoder)
        point = widest(risk_coverage(chosen_on.confidences, hits), TARGET_ACCURACY)
        threshold = None if point is None else point.threshold
    after = None
    if temperature is not None:
        scaled = at_temperature(probabilities, temperature)
        predictions = decoder(scaled)
        texts = [prediction.text for prediction in predictions]
        after = reliability([p.confidence for p in predictions], _right(judged.labels, texts))
    chosen = None if threshold is None else operate(result.confidences, right, threshold)
    return Assessment(
        result,
        _intervals(result, right, resamples, seed),
        _parts(result, judged.origins, right),
        Calibration(reliability(result.confidences, right), temperature, after),
        Selective(
            0 if validation is None else len(validation), threshold, chosen, widest(curve, TARGET_ACCURACY), curve
        ),
        Unwritable.of(judged.labels, decoder.characters, probabilities.shape[1]),
    )


def _temperature(
    probabilities: np.ndarray, labels: Sequence[str], right: Sequence[bool], decoder: Decoder
) -> float | None:
    can: list[int] = np.flatnonzero(writable(labels, decoder.characters, probabilities.shape[1])).tolist()
    class_ids = Vocabulary(decoder.characters).encode([labels[row] for row in can])
    return fit_temperature(probabilities[can], class_ids, [right[row] for row in can], decoder.automaton)


def _intervals(result: Evaluation, right: Sequence[bool], resamples: int, seed: int) -> dict[str, Interval]:
    pairs = list(zip(result.labels, result.predictions, strict=True))
    folded = _right([label.casefold() for label in result.labels], [text.casefold() for text in result.predictions])
    edits = [edit_distance(label, text) for label, text in pairs]
    return {
        "sequence_accuracy": share_interval(sum(right), len(right)),
        "sequence_accuracy_ignore_case": share_interval(sum(folded), len(folded)),
        "character_error_rate": ratio_interval(edits, [len(label) for label, _ in pairs], resamples, seed),
        "length_error_rate": share_interval(sum(len(label) != len(text) for label, text in pairs), len(pairs)),
    }


def _parts(result: Evaluation, origins: Sequence[str], right: Sequence[bool]) -> dict[str, list[Part]]:
    return {
        "length": by_length(result.labels, right),
        "character": by_character(result.labels, result.predictions),
        "origin": by_origin(origins, right),
    }


def _right(labels: Sequence[str], predictions: Sequence[str]) -> list[bool]:
    return [label == prediction for label, prediction in zip(labels, predictions, strict=True)]

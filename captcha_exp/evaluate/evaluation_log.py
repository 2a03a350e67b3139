"""Keeps and prints the results of an evaluation."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from captcha_exp.dataset import PreparedDataset, Split
from captcha_exp.evaluate.assessment import TARGET_ACCURACY, Assessment
from captcha_exp.evaluate.prediction_log import log_predictions, split_digest
from captcha_exp.figures import accuracy_by_part, corruption_sheet, coverage_curve, reliability_diagram
from captcha_exp.metrics.accuracy import kind_of_error
from captcha_exp.metrics.corruptions import CORRUPTIONS, STRENGTHS, corrupt
from captcha_exp.metrics.robustness import Robustness
from captcha_exp.tracking import LoggedSplit, TrackedRun


def log_assessment(
    run: TrackedRun, split: Split, assessment: Assessment, robustness: Robustness | None, sheet_images: int, seed: int
) -> None:
    """Keep tables, pictures and `<split>_evaluation.json` on a run.

    Args:
        run: the model's own run, or a run of the evaluation.
        split: the judged split.
        assessment: the result.
        robustness: the result on altered images; None if it was not measured.
        sheet_images: the largest number of images on the sheet of predictions.
        seed: the seed with which `robustness` was measured.
    """
    log_predictions(run, split, assessment.evaluation, sheet_images)
    told: dict[str, Any] = {"split": split.name, **assessment.to_plain()}
    if robustness is not None:
        told["robustness"] = {"images": robustness.images, "clean": robustness.clean, **robustness.accuracy}
        run.log_figure(_corruptions(split.images[0], robustness, seed), f"{split.name}_robustness.png")
    run.log_json(told, f"{split.name}_evaluation.json")
    run.log_figure(_reliability(assessment), f"{split.name}_reliability.png")
    run.log_figure(_coverage(assessment), f"{split.name}_coverage.png")
    run.log_figure(_parts(assessment), f"{split.name}_parts.png")


def log_test_metrics(
    run: TrackedRun, dataset: PreparedDataset, model_id: str | None, metrics: dict[str, float]
) -> None:
    """Keep figures of the test split as `test/...`, linked to the split and to the model if the store has it."""
    split = dataset.test
    logged = {split.name: LoggedSplit(len(split), split_digest(dataset, split))}
    run.log_dataset(dataset.source_name, dataset.source_uri, dataset.fingerprint, logged)
    if model_id is not None:
        run.tie_to_model(model_id)
    run.log_metrics({f"test/{name}": value for name, value in metrics.items()}, split=split.name)


def robustness_metrics(robustness: Robustness) -> dict[str, float]:
    """Accuracy on altered images: the mean of each alteration, the mean of all, and the drop below clean images."""
    named = {f"robustness/{name}": float(np.mean(values)) for name, values in robustness.accuracy.items()}
    return {**named, "robustness/mean": robustness.mean, "robustness/drop": robustness.drop}


def tell(assessment: Assessment, robustness: Robustness | None) -> Iterator[str]:
    """The figures as lines for a terminal."""
    for name, value in assessment.evaluation.metrics.items():
        interval = assessment.intervals.get(name)
        method = "bootstrap" if name == "character_error_rate" else "Wilson"
        ends = f"  95 % {method}: {interval.low:.4f} to {interval.high:.4f}" if interval else ""
        yield f"{name:29s} {value:.4f}{ends}"
    yield from _tell_errors(assessment)
    yield from _tell_confidence(assessment)
    for title in ("length", "origin"):
        parts = assessment.parts[title]
        if len(parts) > 1:
            yield f"by {title}: " + ", ".join(f"{part.name} {part.accuracy:.4f} ({part.total})" for part in parts)
    worst = sorted(assessment.parts["character"], key=lambda part: part.accuracy)[:5]
    yield "hardest characters: " + ", ".join(f"{part.name} {part.accuracy:.4f} ({part.total})" for part in worst)
    if robustness is not None:
        yield f"robustness on {robustness.images} images: mean {robustness.mean:.4f}, {robustness.drop:.4f} below clean"
        for name, values in robustness.accuracy.items():
            yield f"  {name:12s}" + " ".join(f"{value:.4f}" for value in values)


def _tell_errors(assessment: Assessment) -> Iterator[str]:
    read = assessment.evaluation
    kinds = Counter(map(kind_of_error, read.labels, read.predictions))
    wrong = len(read.labels) - kinds[""]
    if wrong:
        yield f"{wrong} texts wrong: {kinds['length']} in their length, {kinds['characters']} in characters alone"


def _tell_confidence(assessment: Assessment) -> Iterator[str]:
    calibration, selective = assessment.calibration, assessment.selective
    line = f"{'expected_calibration_error':29s} {calibration.before.expected_calibration_error:.4f}"
    if calibration.after is not None:
        error = calibration.after.expected_calibration_error
        line += f"  at temperature {calibration.temperature:.2f}, fitted on validation: {error:.4f}"
    else:
        line += "  no temperature: it needs validation images, some of them read wrong"
    yield line
    widest, chosen = selective.widest, selective.chosen
    reached = f"{widest.coverage:.4f}" if widest else "no threshold reaches it"
    yield f"{'coverage at 99 % right':29s} {reached}"
    if chosen is not None:
        yield (
            f"{'threshold of validation':29s} confidence {chosen.threshold:.4f}: reads {chosen.coverage:.4f} of the "
            f"images, {chosen.accuracy:.4f} of them right"
        )


def _reliability(assessment: Assessment) -> Any:
    calibration = assessment.calibration
    before = [(part.confidence, part.accuracy, part.images) for part in calibration.before.bins]
    scaled = None
    if calibration.after is not None and calibration.temperature is not None:
        after = [(part.confidence, part.accuracy, part.images) for part in calibration.after.bins]
        scaled = (after, calibration.after.expected_calibration_error, calibration.temperature)
    return reliability_diagram(before, calibration.before.expected_calibration_error, scaled)


def _coverage(assessment: Assessment) -> Any:
    selective = assessment.selective
    chosen = None if selective.chosen is None else (selective.chosen.coverage, selective.chosen.accuracy)
    points = selective.curve
    return coverage_curve([p.coverage for p in points], [p.accuracy for p in points], TARGET_ACCURACY, chosen)


def _parts(assessment: Assessment) -> Any:
    titles = {"length": "Texts read right, by length", "origin": "Texts read right, by origin",
              "character": "Characters read right"}  # fmt: skip
    rows = {
        title: [(p.name, p.total, p.accuracy, p.interval.low, p.interval.high) for p in assessment.parts[key]]
        for key, title in titles.items()
    }
    # If there is only one length or origin, its figure equals that of the whole.
    several = {title: parts for title, parts in rows.items() if len(parts) > 1}
    return accuracy_by_part(several or rows)


def _corruptions(image: np.ndarray, robustness: Robustness, seed: int) -> Any:
    strengths = range(1, STRENGTHS + 1)
    examples: dict[str, Sequence[np.ndarray]] = {
        name: [corrupt(image[np.newaxis], name, strength, seed)[0] for strength in strengths] for name in CORRUPTIONS
    }
    levels = {name: [f"{level:g}" for level in corruption.levels] for name, corruption in CORRUPTIONS.items()}
    return corruption_sheet(examples, robustness.accuracy, levels, image, robustness.clean)

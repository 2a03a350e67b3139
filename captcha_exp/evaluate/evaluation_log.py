"""Keeps the results of an evaluation."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from captcha_exp.dataset import PreparedDataset, Split
from captcha_exp.evaluate.assessment import TARGET_ACCURACY, Assessment
from captcha_exp.evaluate.prediction_log import log_predictions
from captcha_exp.evaluate.told_figures import answer
from captcha_exp.figures import accuracy_by_part, corruption_sheet, coverage_curve, reliability_diagram
from captcha_exp.metrics.corruptions import CORRUPTIONS, STRENGTHS, corrupt
from captcha_exp.metrics.robustness import Robustness
from captcha_exp.tracking import LoggedSplit, TrackedRun


def log_assessment(
    run: TrackedRun,
    split: Split,
    assessment: Assessment,
    robustness: Robustness | None,
    sheet_images: int,
    seed: int,
    notes: Sequence[str],
) -> None:
    """Keep tables, pictures and `<split>_evaluation.json` on a run.

    Args:
        run: the model's own run, or a run of the evaluation.
        split: the judged split.
        assessment: the result.
        robustness: the result on altered images; None if it was not measured.
        sheet_images: the largest number of images on the sheet of predictions.
        seed: the seed with which `robustness` was measured.
        notes: the lines about images that were left out and labels that cannot be read.
    """
    log_predictions(run, split, assessment.evaluation, sheet_images)
    plain: dict[str, Any] = {"split": split.name, "notes": list(notes), "answer": answer(assessment, split.name)}
    plain |= assessment.to_plain()
    if robustness is not None:
        plain["robustness"] = {"images": robustness.images, "clean": robustness.clean, **robustness.accuracy}
        run.log_figure(_corruptions(split.images[0], robustness, seed), f"{split.name}_robustness.png")
    run.log_json(plain, f"{split.name}_evaluation.json")
    run.log_figure(_reliability(assessment), f"{split.name}_reliability.png")
    run.log_figure(_coverage(assessment), f"{split.name}_coverage.png")
    run.log_figure(_parts(assessment), f"{split.name}_parts.png")


def log_test_metrics(
    run: TrackedRun, dataset: PreparedDataset, split: Split, model_id: str | None, metrics: dict[str, float]
) -> None:
    """Keep figures of the judged test images as `test/...`, linked to them and to the model if the store has it."""
    logged = {split.name: LoggedSplit(len(split), dataset.digest_of(split))}
    run.log_dataset(dataset.source_name, dataset.source_uri, dataset.fingerprint, logged)
    if model_id is not None:
        run.tie_to_model(model_id)
    run.log_metrics({f"test/{name}": value for name, value in metrics.items()}, split=split.name)


def robustness_metrics(robustness: Robustness) -> dict[str, float]:
    """Accuracy on altered images: the mean of each alteration, the mean of all, and the drop below clean images."""
    named = {f"robustness/{name}": float(np.mean(values)) for name, values in robustness.accuracy.items()}
    return {**named, "robustness/mean": robustness.mean, "robustness/drop": robustness.drop}


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
    return coverage_curve(
        [p.coverage for p in points],
        [p.accuracy for p in points],
        len(assessment.evaluation.labels),
        TARGET_ACCURACY,
        chosen,
    )


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
    return corruption_sheet(examples, robustness.accuracy, levels, image, robustness.clean, robustness.images)

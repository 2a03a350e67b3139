"""Keeps the text that was read in each image of a split in the tracking store."""

from typing import TYPE_CHECKING

from captcha_exp.dataset import Split
from captcha_exp.figures import character_confusion, prediction_sheet
from captcha_exp.foreign_text import csv_table
from captcha_exp.metrics.accuracy import kind_of_error
from captcha_exp.tracking import TrackedRun

if TYPE_CHECKING:
    from captcha_exp.model.evaluator import Evaluation


def log_predictions(run: TrackedRun, split: Split, evaluation: "Evaluation", sheet_images: int) -> None:
    """Keep the text that was read in each image of a split: as a table with the split's name, and as pictures."""
    labels, predictions, confidences = evaluation.labels, evaluation.predictions, evaluation.confidences
    run.log_text(_table(split, evaluation), f"{split.name}.csv")
    if sheet_images:
        sheet = prediction_sheet(split.images, labels, predictions, confidences, sheet_images)
        run.log_figure(sheet, f"{split.name}_sheet.png")
    run.log_figure(character_confusion(labels, predictions), f"{split.name}_confusion.png")


def _table(split: Split, evaluation: "Evaluation") -> str:
    read = zip(evaluation.labels, evaluation.predictions, evaluation.confidences, strict=True)
    rows = [
        [
            name,
            origin,
            label,
            prediction,
            f"{confidence:.6f}",
            int(label == prediction),
            kind_of_error(label, prediction),
        ]
        for name, origin, (label, prediction, confidence) in zip(split.names, split.origins, read, strict=True)
    ]
    return csv_table([["name", "origin", "label", "prediction", "confidence", "correct", "error"], *rows])

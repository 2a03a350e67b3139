"""The answer of an evaluation, in sentences."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from captcha_exp.dataset.writable_labels import Unwritable
from captcha_exp.evaluate.assessment import Assessment, Calibration, Selective
from captcha_exp.evaluate.told_figures import answer, figures
from captcha_exp.metrics.calibration import reliability
from captcha_exp.metrics.intervals import Interval
from captcha_exp.metrics.risk_coverage import OperatingPoint
from captcha_exp.model.evaluator import Evaluation

NONE_CHOSEN = Selective(0, None, None, None, [])


def assessed(right: int, total: int, selective: Selective) -> Assessment:
    labels = ["ab"] * total
    read = ["ab"] * right + ["b"] * (total - right)
    metrics = {"ctc_loss": 0.5, "sequence_accuracy": right / total, "character_error_rate": (total - right) / 2 / total}
    hits = [label == text for label, text in zip(labels, read, strict=True)]
    calibration = Calibration(reliability([0.9] * total, hits), None, None)
    return Assessment(
        Evaluation(metrics, labels, read, [0.9] * total),
        {"sequence_accuracy": Interval(0.9, 1.0)},
        {"length": [], "character": [], "origin": []},
        calibration,
        selective,
        Unwritable(total, 2, {"é": 2}, 1),
    )


def sentences(right: int, total: int, selective: Selective) -> Sequence[str]:
    return answer(assessed(right, total, selective), "test")


def test_what_validation_chose_comes_before_what_the_judged_images_chose() -> None:
    chosen, widest = OperatingPoint(0.8712, 0.95, 0.98), OperatingPoint(0.95, 0.9, 0.9922)
    told = sentences(1900, 2000, Selective(300, 0.8712, chosen, widest, [widest]))
    assert told == [
        "On 2,000 test images 95.0% (95% interval 94.0% to 95.9%) of the texts are right.",
        "99% right was the aim; where the model is as sure as validation images chose (confidence from 0.8712), it "
        "reads 95.0% of the images by itself, and 98.0% (95% interval 97.3% to 98.5%) of these 1,900 texts are right: "
        "aim missed.",
        "Leave the least certain 10.0% to a person (confidence below 0.9500), and 99.2% of the others are right. These "
        "very images chose this, so others may need more.",
    ]


@pytest.mark.parametrize(
    ("right", "selective", "told"),
    [
        (60, NONE_CHOSEN, "no validation images could choose a confidence, so the model reads all images by itself: "),
        (60, replace(NONE_CHOSEN, validation_images=40), "no confidence reached it on the 40 validation images, so "),
        (60, Selective(40, 0.9, None, None, []), "0.9000, is reached by none of these images: the model reads none"),
        (60, NONE_CHOSEN, "aim reached, but so few images cannot tell it for sure."),
        (40, NONE_CHOSEN, "aim missed."),
    ],
)
def test_the_aim_is_told_in_every_case(right: int, selective: Selective, told: str) -> None:
    assert told in sentences(right, 60, selective)[1]


def test_where_no_confidence_helps_that_is_said() -> None:
    assert (
        sentences(30, 60, NONE_CHOSEN)[-1] == "Even of the images that the model is most certain of, fewer are right."
    )
    everything = OperatingPoint(0.5, 1.0, 1.0)
    assert len(sentences(60, 60, Selective(9, 0.5, everything, everything, []))) == 2


def test_every_figure_has_its_unit_and_count() -> None:
    table = list(figures(assessed(1, 4, NONE_CHOSEN), None))
    assert table[0].split() == ["figure", "value", "unit", "95%", "interval"]
    assert table[1].split("  ")[-1] != "" and "nats a text, of 1 texts" in table[1]
    assert "share of 4 texts" in table[2] and table[2].endswith("0.9000 to 1.0000 (Wilson)")
    assert "edits a character, of 8 characters" in table[3]
    assert table[4].endswith("mean distance of confidence and share right")

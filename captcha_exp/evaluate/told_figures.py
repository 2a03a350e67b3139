"""An evaluation as text: its answer in sentences, then its figures with their units and counts."""

from collections import Counter
from collections.abc import Iterator

from captcha_exp.evaluate.assessment import TARGET_ACCURACY, Assessment, Selective
from captcha_exp.metrics.accuracy import kind_of_error
from captcha_exp.metrics.accuracy_by_part import Part
from captcha_exp.metrics.corruptions import STRENGTHS
from captcha_exp.metrics.intervals import share_interval
from captcha_exp.metrics.robustness import Robustness

_AIM = f"{TARGET_ACCURACY:.0%} right was the aim"
_HARDEST = 5


def answer(assessment: Assessment, split: str) -> list[str]:
    """What was asked and what came out, in sentences; what was chosen on the judged images themselves comes last.

    Args:
        assessment: the result.
        split: name of the judged split.
    """
    images, selective = len(assessment.evaluation.labels), assessment.selective
    right = round(assessment.evaluation.metrics["sequence_accuracy"] * images)
    first = f"On {images:,} {split} images {_share(right, images)} of the texts are right."
    return [first, _aim(right, images, selective), *_leave(selective)]


def _aim(right: int, images: int, selective: Selective) -> str:
    if selective.threshold is None:
        why = (
            f"no confidence reached it on the {selective.validation_images:,} validation images"
            if selective.validation_images
            else "no validation images could choose a confidence"
        )
        return f"{_AIM}; {why}, so the model reads all images by itself: {_verdict(right, images)}."
    if selective.chosen is None:
        return (
            f"{_AIM}; the confidence that validation images chose, {selective.threshold:.4f}, is reached by none of "
            "these images: the model reads none by itself."
        )
    read = round(selective.chosen.coverage * images)
    hits = round(selective.chosen.accuracy * read)
    return (
        f"{_AIM}; where the model is as sure as validation images chose (confidence from {selective.threshold:.4f}), "
        f"it reads {read / images:.1%} of the images by itself, and {_share(hits, read)} of these {read:,} texts are "
        f"right: {_verdict(hits, read)}."
    )


def _verdict(right: int, total: int) -> str:
    interval = share_interval(right, total)
    verdict = f"aim {'reached' if right / total >= TARGET_ACCURACY else 'missed'}"
    unsure = interval.low < TARGET_ACCURACY < interval.high
    return f"{verdict}, but so few images cannot tell it for sure" if unsure else verdict


def _leave(selective: Selective) -> Iterator[str]:
    """How many images a person would have to read. The judged images themselves tell it, so it flatters."""
    found = selective.widest
    if found is None:
        yield "Even of the images that the model is most certain of, fewer are right."
    elif found.coverage < 1:
        yield (
            f"Leave the least certain {1 - found.coverage:.1%} to a person (confidence below {found.threshold:.4f}), "
            f"and {found.accuracy:.1%} of the others are right. These very images chose this, so others may need more."
        )


def _share(part: int, total: int) -> str:
    interval = share_interval(part, total)
    return f"{part / total:.1%} (95% interval {interval.low:.1%} to {interval.high:.1%})"


def figures(assessment: Assessment, robustness: Robustness | None) -> Iterator[str]:
    """The lines of the table."""
    yield f"{'figure':29s} value   {'unit':46s} 95% interval"
    units = _units(assessment)
    for name, value in assessment.evaluation.metrics.items():
        interval = assessment.intervals.get(name)
        method = "bootstrap" if name == "character_error_rate" else "Wilson"
        ends = f"{interval.low:.4f} to {interval.high:.4f} ({method})" if interval else "-"
        yield f"{name:29s} {value:.4f}  {units.get(name, ''):46s} {ends}"
    yield from _calibration(assessment)
    yield from _errors(assessment)
    yield from _parts(assessment)
    if robustness is not None:
        yield from _robustness(robustness)


def _units(assessment: Assessment) -> dict[str, str]:
    labels, lost = assessment.evaluation.labels, assessment.unwritable
    share = f"share of {len(labels):,} texts"
    names = ("sequence_accuracy", "sequence_accuracy_ignore_case", "length_error_rate")
    return {
        **dict.fromkeys(names, share),
        "ctc_loss": f"nats a text, of {len(labels) - lost.unknown - lost.too_long:,} texts",
        "character_error_rate": f"edits a character, of {sum(map(len, labels)):,} characters",
    }


def _calibration(assessment: Assessment) -> Iterator[str]:
    calibration = assessment.calibration
    error = calibration.before.expected_calibration_error
    yield f"{'expected_calibration_error':29s} {error:.4f}  mean distance of confidence and share right"
    if calibration.after is None:
        yield "  no temperature: it needs validation images, some of them read wrong"
        return
    name = f"  at temperature {calibration.temperature:.2f}"
    error = calibration.after.expected_calibration_error
    yield f"{name:29s} {error:.4f}  the same distance; validation images chose the temperature"


def _errors(assessment: Assessment) -> Iterator[str]:
    read = assessment.evaluation
    kinds = Counter(map(kind_of_error, read.labels, read.predictions))
    wrong = len(read.labels) - kinds[""]
    if wrong:
        yield f"{wrong} texts wrong: {kinds['length']} in their length, {kinds['characters']} in characters alone"


def _parts(assessment: Assessment) -> Iterator[str]:
    for title in ("length", "origin"):
        parts = assessment.parts[title]
        if len(parts) > 1:
            yield f"texts right by {title} (of how many texts): {_listed(parts)}"
    characters = assessment.parts["character"]
    worst = sorted(characters, key=lambda part: part.accuracy)[:_HARDEST]
    yield f"characters right, the hardest {len(worst)} of {len(characters)} (of how many characters): {_listed(worst)}"


def _listed(parts: list[Part]) -> str:
    return ", ".join(f"{part.name} {part.accuracy:.4f} ({part.total:,})" for part in parts)


def _robustness(robustness: Robustness) -> Iterator[str]:
    yield (
        f"share of {robustness.images:,} texts right if the images are altered: mean {robustness.mean:.4f}, "
        f"{robustness.drop:.4f} below the same images as they are"
    )
    yield f"  {'strength':12s}" + " ".join(f"{strength:<6d}" for strength in range(1, STRENGTHS + 1))
    for name, values in robustness.accuracy.items():
        yield f"  {name:12s}" + " ".join(f"{value:.4f}" for value in values)

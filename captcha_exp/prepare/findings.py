"""The findings of an audit, and how bad they are."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from captcha_exp.prepare.audit_result import Audit

# If a model is less sure than this, it has more likely misread the image than found a wrong label.
SURE = 0.5


class Level(Enum):
    """How bad a finding is. A problem harms the training or the metrics; a note is only good to know."""

    problem = "problem"
    warning = "warning"
    note = "note"
    clear = "clear"


@dataclass(frozen=True)
class Finding:
    """The result of one check. `key` names its section, and `meaning` says how it affects a model."""

    key: str
    level: Level
    count: int
    title: str
    meaning: str


def findings(audit: Audit) -> list[Finding]:
    """The results of all checks, the worst first."""
    order = list(Level)
    return sorted((*_of_files(audit), *_of_images(audit), *_of_labels(audit)), key=lambda one: order.index(one.level))


def _finding(key: str, found: Level, count: int, title: str, meaning: str) -> Finding:
    return Finding(key, found if count else Level.clear, count, title, meaning)


def _of_files(audit: Audit) -> Iterator[Finding]:
    if audit.warnings:  # without warnings, perhaps nothing was expected
        yield _finding(
            "expected", Level.warning, len(audit.warnings), "differences from what is expected",
            "The dataset is not what dataset.expected says it is: another version, or a part of it.",
        )  # fmt: skip
    yield _finding(
        "unusable", Level.warning, len(audit.unusable), "files that give no image",
        "They are left out of every split.",
    )  # fmt: skip
    yield _finding(
        "cut_off", Level.warning, len(audit.cut_off), "files cut off at their end",
        "They could be read, but part of the picture may be missing.",
    )  # fmt: skip
    yield _finding(
        "wrong_suffix", Level.note, len(audit.wrong_suffix), "files of another format than their suffix says",
        "They are read by their content here; other programs may refuse them.",
    )  # fmt: skip


def _of_images(audit: Audit) -> Iterator[Finding]:
    found = audit.duplicates
    across = sum(map(audit.across_splits, found.near.groups))
    yield _finding(
        "relabelled", Level.problem, len(found.relabelled), "pictures that have several labels",
        "The same pixels under different labels: at most one of them is right.",
    )  # fmt: skip
    yield _finding(
        "near_across", Level.problem, across, "groups of near duplicates in different splits",
        "Training nearly sees the held-out pictures. Their labels differ, because equal labels share a split.",
    )  # fmt: skip
    yield _finding(
        "near_within", Level.note, len(found.near.groups) - across, "groups of near duplicates in one split",
        "Pictures that hardly differ teach a model no more than one picture.",
    )  # fmt: skip
    if not found.near.complete:
        yield _finding(
            "near_incomplete", Level.warning, 1, "search for near duplicates not finished",
            "Too many pictures resemble one another; there may be more near duplicates than are listed.",
        )  # fmt: skip
    yield _finding(
        "equal_bytes", Level.note, len(found.equal_bytes), "groups of identical files",
        "They share a split, but each copy counts in training and in every metric.",
    )  # fmt: skip
    yield _finding(
        "equal_pixels", Level.note, len(found.equal_pixels), "groups of identical pictures in different files",
        "They share a split, but each copy counts in training and in every metric.",
    )  # fmt: skip


def _of_labels(audit: Audit) -> Iterator[Finding]:
    labels, read = audit.labels, audit.contradictions
    apart = audit.division.get("equal_labels") == "apart"
    yield _finding(
        "shared", Level.note if apart else Level.problem, len(labels.shared), "labels in several splits",
        "dataset.equal_labels=apart divides images of one label." if apart
        else "Splits must not share labels; this would be a fault of captcha_exp.",
    )  # fmt: skip
    if read is not None:
        sure = sum(one.confidence >= SURE for one in read.found)
        yield _finding(
            "contradictions", Level.warning, sure, "labels that the model contradicts, more sure than not",
            "The likeliest labelling errors, above all those in the split that the model was trained on.",
        )  # fmt: skip
    yield _finding(
        "unseen", Level.warning, len(labels.unseen), "characters in no training label",
        "No model can learn to read them.",
    )  # fmt: skip
    yield _finding(
        "twins", Level.note, len(labels.case_twins), "groups of labels that are equal but for case",
        "If case is ignored, labels in different splits leak from one split to the other.",
    )  # fmt: skip
    yield _finding(
        "look_alikes", Level.note, len(labels.look_alikes), "groups of characters that look alike",
        "Expect a model, and whoever labelled the images, to confuse them.",
    )  # fmt: skip

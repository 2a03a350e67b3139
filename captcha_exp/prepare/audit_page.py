"""Writes an audit as one self-contained HTML page."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from captcha_exp.html_page import page_environment
from captcha_exp.prepare.audit_result import Audit
from captcha_exp.prepare.contradictions import Contradictions
from captcha_exp.prepare.duplicate_images import Groups
from captcha_exp.prepare.embedded_images import Picture, picture
from captcha_exp.prepare.findings import findings
from captcha_exp.prepare.label_charts import character_charts, length_chart

_SHEET = 24  # samples per origin
_SHEETS = 8
_GROUPS = 40  # groups per kind; audit.json has all of them
_IN_GROUP = 6
_ROWS = 200
Load = Callable[[str], bytes]


@dataclass(frozen=True)
class Gallery:
    """Groups of pictures that belong together. `more` is the number of further groups, which only audit.json has."""

    groups: list[list[Picture]]
    more: int


def render_page(audit: Audit, load: Load) -> str:
    """The audit as HTML that can be opened from disk, with its pictures inside.

    Args:
        audit: the result of the audit.
        load: reads the file of a sample.
    """
    template = page_environment("captcha_exp.prepare").get_template("page.html.j2")
    return template.render(
        audit=audit,
        table=audit.to_dict(),
        findings=findings(audit),
        sheets=list(_sheets(audit, load)),
        charts=[length_chart(audit.labels), *character_charts(audit.labels)],
        galleries=_galleries(audit, load),
        contradicted=_contradicted(audit, load, audit.contradictions),
        rows=_ROWS,
    )


def _sheets(audit: Audit, load: Load) -> Iterator[tuple[str, int, list[Picture]]]:
    """Each origin with its number of samples and some samples. The fingerprint seeds the draw."""
    members: dict[str, list[int]] = {}
    for index, sample in enumerate(audit.samples):
        members.setdefault(sample.origin, []).append(index)
    for origin, indices in sorted(members.items())[:_SHEETS]:
        rng = random.Random(f"sheet:{audit.fingerprint}:{origin}")
        drawn = sorted(rng.sample(indices, min(_SHEET, len(indices))))
        yield origin, len(indices), [picture(audit.samples[index], load) for index in drawn]


def _galleries(audit: Audit, load: Load) -> dict[str, Gallery]:
    near = audit.duplicates.near.groups
    kinds = {
        "relabelled": audit.duplicates.relabelled,
        "near_across": [group for group in near if audit.across_splits(group)],
        "near_within": [group for group in near if not audit.across_splits(group)],
        "equal_bytes": audit.duplicates.equal_bytes,
        "equal_pixels": audit.duplicates.equal_pixels,
        "twins": _twins(audit),
    }
    return {key: _gallery(audit, load, groups) for key, groups in kinds.items() if groups}


def _gallery(audit: Audit, load: Load, groups: Groups) -> Gallery:
    shown = []
    for group in groups[:_GROUPS]:
        pictures = [picture(audit.samples[index], load, _file_note(audit, index)) for index in group[:_IN_GROUP]]
        shown.append(pictures)
    return Gallery(shown, len(groups) - len(shown))


def _file_note(audit: Audit, index: int) -> str:
    file = audit.files[index]
    return f"{file.format} {file.mode} {file.width}×{file.height}"  # noqa: RUF001


def _twins(audit: Audit) -> Groups:
    """Groups of labels that differ only in case, with one sample per label; groups across splits first."""
    wanted = {label for group in audit.labels.case_twins[:_GROUPS] for label in group}
    first: dict[str, int] = {}
    for index, sample in enumerate(audit.samples):
        if sample.label in wanted:
            first.setdefault(sample.label, index)
    return [[first[label] for label in group] for group in audit.labels.case_twins[:_GROUPS]]


def _contradicted(audit: Audit, load: Load, read: Contradictions | None) -> list[tuple[Picture, str]]:
    """The surest contradictions: each is a sample and the text that the model reads in it."""
    if read is None:
        return []
    samples = {(sample.name, sample.label): sample for sample in audit.samples}
    shown = []
    for one in read.found[: 2 * _GROUPS]:
        note = f"{one.confidence:.1%} sure" + ", trained on it" * bool(one.seen) + ", case alone" * one.case_alone
        shown.append((picture(samples[one.name, one.label], load, note), one.prediction))
    return shown

"""Writes labels in one way: composed letters, plain blanks, nothing invisible."""

import unicodedata
from collections import Counter
from dataclasses import replace

from captcha_exp.dataset.samples import SkippedFile, Source, label_problem

_KINDS = {
    "composed": "{} labels had letters in parts; they are composed now (Unicode NFC)",
    "invisible": "{} labels had characters that show nothing (such as zero-width joiners); these are left out",
    "blanks": "{} labels had blanks at an end or of another kind; they are plain blanks inside the label now",
}


def with_plain_labels(source: Source) -> Source:
    """A source with its labels in Unicode NFC, without characters of the category Cf, and without blanks at the ends.

    A picture shows neither how a letter is coded nor a character that has no shape, so two ways of writing would be two
    classes that no model can tell apart. The notes count the labels that changed.
    """
    changed: Counter[str] = Counter()
    samples, skipped, given = [], [], []
    for place, sample in enumerate(source.samples):
        label = sample.label
        if not label.isascii() or label[0] == " " or label[-1] == " ":
            label = _plain(label, changed)
            problem = label_problem(label)
            if problem is not None:
                skipped.append(SkippedFile(sample.name, problem))
                continue
        samples.append(sample if label == sample.label else sample._replace(label=label))
        if source.given is not None:
            given.append(source.given[place])
    if not any(changed.values()) and not skipped:
        return source
    notes = [text.format(changed[kind]) for kind, text in _KINDS.items() if changed[kind]]
    return replace(
        source,
        samples=samples,
        skipped=[*source.skipped, *skipped],
        notes=[*source.notes, *notes],
        given=None if source.given is None else given,
    )


def _plain(label: str, changed: Counter[str]) -> str:
    seen = "".join(character for character in label if unicodedata.category(character) != "Cf")
    changed["invisible"] += seen != label
    joined = unicodedata.normalize("NFC", seen)
    changed["composed"] += joined != seen
    blanks = "".join(" " if unicodedata.category(character) == "Zs" else character for character in joined).strip()
    changed["blanks"] += blanks != joined
    return blanks

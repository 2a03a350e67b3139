"""Compares a dataset with what its configuration expects."""

from collections.abc import Iterator, Sequence

from captcha_exp.config import ExpectedConfig
from captcha_exp.prepare.audited_samples import AuditedSample

_NAMED = 5


def warnings_of(expected: ExpectedConfig, files: int, samples: Sequence[AuditedSample]) -> Iterator[str]:
    """A line for each expectation that is not met. The lines use the keys of the configuration.

    Args:
        expected: `dataset.expected`.
        files: number of image files, including unusable ones.
        samples: the labelled samples.
    """
    if expected.images is not None:
        off = abs(files - expected.images) / expected.images
        if off > expected.images_tolerance:
            allowed = f" within {expected.images_tolerance:.0%}" if expected.images_tolerance else ""
            yield f"dataset.expected.images is {expected.images}{allowed}, but there are {files} image files"
    if expected.length is not None:
        others = [sample for sample in samples if len(sample.label) != expected.length]
        if others:
            yield f"dataset.expected.length is {expected.length}, but these have another length: {_named(others)}"
    if expected.alphabet is not None:
        outside = sorted({character for sample in samples for character in sample.label} - set(expected.alphabet))
        if outside:
            having = [sample for sample in samples if set(sample.label) & set(outside)]
            yield f"dataset.expected.alphabet lacks {''.join(outside)!r}, which are in {_named(having)}"


def _named(samples: Sequence[AuditedSample]) -> str:
    named = ", ".join(f"{sample.label!r} ({sample.name})" for sample in samples[:_NAMED])
    more = ", ..." if len(samples) > _NAMED else ""
    return f"{len(samples)} {'label' if len(samples) == 1 else 'labels'}: {named}{more}"

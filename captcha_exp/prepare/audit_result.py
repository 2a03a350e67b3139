"""The result of an audit."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from captcha_exp.config import DatasetConfig, to_plain
from captcha_exp.config.earlier import ADDED_TO_DIVISION
from captcha_exp.dataset.split import DIVIDING
from captcha_exp.prepare.audited_samples import AuditedSample
from captcha_exp.prepare.contradictions import Contradictions
from captcha_exp.prepare.duplicate_images import Groups, NearGroups
from captcha_exp.prepare.file_inspection import Damage, FileFacts, format_of_suffix
from captcha_exp.prepare.label_statistics import LabelFacts

# Raise this number when a key of audit.json changes its meaning.
_FORMAT = 1
_TABLES = (".csv", ".tsv", ".txt", ".json", ".jsonl")


@dataclass(frozen=True)
class Unusable:
    """A file that cannot be used as an image."""

    name: str
    kind: Damage
    reason: str


@dataclass(frozen=True)
class Duplicates:
    """Groups of positions in the samples.

    `equal_pixels` are groups with equal pixels but different bytes. `near` are groups with different pixels that look
    alike. `relabelled` are groups with equal pixels but different labels.
    """

    equal_bytes: Groups
    equal_pixels: Groups
    relabelled: Groups
    near: NearGroups


@dataclass(frozen=True)
class Audit:
    """A description of a dataset and its faults.

    `samples` are the usable samples, and `files` the facts about their files. `unusable` are all other files. Each line
    of `warnings` names a difference from `dataset.expected`.
    """

    source_name: str
    source_uri: str
    fingerprint: str
    division: dict[str, Any]
    samples: list[AuditedSample]
    files: list[FileFacts]
    unusable: list[Unusable]
    labels: LabelFacts
    duplicates: Duplicates
    warnings: list[str]
    contradictions: Contradictions | None

    @property
    def title(self) -> str:
        """The dataset's usual name: a folder's name, or for a table the names of its folder and file."""
        path = Path(self.source_uri)
        if not path.is_absolute():
            return self.source_name
        return f"{path.parent.name}/{path.name}" if path.suffix in _TABLES else path.name

    @property
    def wrong_suffix(self) -> list[tuple[AuditedSample, str]]:
        """Samples whose suffix names another format, with their real format."""
        pairs = zip(self.samples, self.files, strict=True)
        return [
            (sample, file.format) for sample, file in pairs if format_of_suffix(sample.name) not in {None, file.format}
        ]

    @property
    def cut_off(self) -> list[AuditedSample]:
        """Samples that could be read, although their file ends too early."""
        return [sample for sample, file in zip(self.samples, self.files, strict=True) if file.cut_off]

    def across_splits(self, group: Sequence[int]) -> bool:
        """Whether a group has samples in different splits."""
        return len({self.samples[index].split for index in group}) > 1

    def counts(self) -> dict[str, dict[str, int]]:
        """Number of samples in each split, by origin."""
        counted = Counter((sample.origin, str(sample.split)) for sample in self.samples)
        origins = sorted({origin for origin, _ in counted})
        return {origin: {s: counted[origin, s] for s in ("train", "validation", "test")} for origin in origins}

    def sizes(self) -> list[dict[str, int]]:
        """Sizes of images in pixels, the most common first."""
        counted = Counter((file.width, file.height) for file in self.files).most_common()
        return [{"width": width, "height": height, "count": count} for (width, height), count in counted]

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, fit for JSON. docs/data.md describes the keys."""
        return {
            "format": _FORMAT,
            "source": {"name": self.source_name, "uri": self.source_uri},
            "fingerprint": self.fingerprint,
            "division": self.division,
            "counts": {"usable": len(self.samples), "unusable": len(self.unusable), "by_origin": self.counts()},
            "images": {
                "sizes": self.sizes(),
                "modes": dict(Counter(file.mode for file in self.files).most_common()),
                "formats": dict(Counter(file.format for file in self.files).most_common()),
            },
            "labels": asdict(self.labels),
            "warnings": self.warnings,
            "problems": self._problems(),
            "contradictions": None if self.contradictions is None else asdict(self.contradictions),
        }

    def _problems(self) -> dict[str, Any]:
        found = self.duplicates
        return {
            "unusable": [{"name": u.name, "kind": u.kind.value, "reason": u.reason} for u in self.unusable],
            "wrong_suffix": [{"name": sample.name, "format": name} for sample, name in self.wrong_suffix],
            "cut_off": [sample.name for sample in self.cut_off],
            "equal_bytes": self._named(found.equal_bytes),
            "equal_pixels": self._named(found.equal_pixels),
            "equal_pixels_different_labels": self._named(found.relabelled),
            "near_duplicates": self._named(found.near.groups),
            "near_duplicates_complete": found.near.complete,
        }

    def _named(self, groups: Groups) -> list[dict[str, Any]]:
        return [
            {
                "across_splits": self.across_splits(group),
                "samples": [self.samples[index].to_dict() for index in group],
            }
            for group in groups
        ]


def division_of(config: DatasetConfig) -> dict[str, Any]:
    """The part of a dataset's configuration that decides which split a sample is in.

    Keys of later versions are left out where they change nothing, so that earlier audits are still found.
    """
    plain = to_plain(config)
    dividing = {key: plain[key] for key in DIVIDING}
    return {key: value for key, value in dividing.items() if (key, value) not in ADDED_TO_DIVISION.items()}

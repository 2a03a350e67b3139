"""All that an audit has found."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from captcha_exp.config import DatasetConfig, to_plain
from captcha_exp.prepare.audited_samples import AuditedSample
from captcha_exp.prepare.contradictions import Contradictions
from captcha_exp.prepare.duplicate_images import Groups, NearGroups
from captcha_exp.prepare.file_inspection import Damage, FileFacts, format_of_suffix
from captcha_exp.prepare.label_statistics import LabelFacts

# Raise it when a key of audit.json changes its meaning.
_FORMAT = 1
# What decides which samples of a dataset the splits hold.
_DIVIDING = ("validation_fraction", "test_fraction", "split_seed", "label_case")


@dataclass(frozen=True)
class Unusable:
    """A file that gives no image."""

    name: str
    kind: Damage
    reason: str


@dataclass(frozen=True)
class Duplicates:
    """Groups of positions in the samples; those of `equal_pixels` differ in their bytes, those of `near` in pixels.

    `relabelled` are groups of equal pixels under different labels.
    """

    equal_bytes: Groups
    equal_pixels: Groups
    relabelled: Groups
    near: NearGroups


@dataclass(frozen=True)
class Audit:
    """What a dataset is and what is wrong with it.

    `samples` are those that give an image, with the `files` that do; `unusable` are all the others. `warnings` tell
    in a line each what differs from `dataset.expected`.
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
        """What people call the dataset: a folder by its name, a table by its folder's and its own."""
        path = Path(self.source_uri)
        if not path.is_absolute():
            return self.source_name
        return f"{path.parent.name}/{path.name}" if path.suffix in {".csv", ".tsv"} else path.name

    @property
    def wrong_suffix(self) -> list[tuple[AuditedSample, str]]:
        """Samples whose suffix promises another format, with the one they have."""
        pairs = zip(self.samples, self.files, strict=True)
        return [
            (sample, file.format) for sample, file in pairs if format_of_suffix(sample.name) not in {None, file.format}
        ]

    @property
    def cut_off(self) -> list[AuditedSample]:
        """Samples that could be read although their file ends too early."""
        return [sample for sample, file in zip(self.samples, self.files, strict=True) if file.cut_off]

    def across_splits(self, group: Sequence[int]) -> bool:
        """Whether samples of a group are in different splits."""
        return len({self.samples[index].split for index in group}) > 1

    def counts(self) -> dict[str, dict[str, int]]:
        """Samples of each origin in each split, by origin."""
        counted = Counter((sample.origin, str(sample.split)) for sample in self.samples)
        origins = sorted({origin for origin, _ in counted})
        return {origin: {s: counted[origin, s] for s in ("train", "validation", "test")} for origin in origins}

    def sizes(self) -> list[dict[str, int]]:
        """Sizes of images in pixels, the commonest first."""
        counted = Counter((file.width, file.height) for file in self.files).most_common()
        return [{"width": width, "height": height, "count": count} for (width, height), count in counted]

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, fit for JSON; docs/data.md tells the keys."""
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
    """The part of a dataset's configuration that decides which split a sample is in."""
    plain = to_plain(config)
    return {key: plain[key] for key in _DIVIDING}

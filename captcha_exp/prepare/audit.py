"""The audit of a prepared dataset."""

from collections.abc import Sequence

import numpy as np

from captcha_exp.config import DatasetConfig
from captcha_exp.dataset import PreparedDataset
from captcha_exp.dataset.image_spec import image_spec
from captcha_exp.dataset.samples import Source
from captcha_exp.prepare.audit_result import Audit, Duplicates, Unusable, division_of
from captcha_exp.prepare.audited_samples import AuditedSample, audited_samples
from captcha_exp.prepare.contradictions import TrainedModel, contradictions
from captcha_exp.prepare.duplicate_images import Groups, NearGroups, groups_of, near_groups
from captcha_exp.prepare.expectations import warnings_of
from captcha_exp.prepare.file_inspection import Damage, Damaged, FileFacts
from captcha_exp.prepare.file_scan import Found, Inspector, scan
from captcha_exp.prepare.label_statistics import label_facts


def audit_dataset(
    source: Source, dataset: PreparedDataset, config: DatasetConfig, trained: TrainedModel | None
) -> Audit:
    """Check every file and every label of a dataset.

    Args:
        source: where the files are.
        dataset: the prepared dataset of this source.
        config: its configuration.
        trained: a model that checks the labels; None skips this.
    """
    listed = audited_samples(source, dataset, config)
    found = scan(Inspector(source.load, image_spec(config)), [sample.locator for sample in listed])
    samples, files = _usable(listed, found)
    return Audit(
        source_name=dataset.source_name,
        source_uri=dataset.source_uri,
        fingerprint=dataset.fingerprint,
        division=division_of(config),
        samples=samples,
        files=files,
        unusable=_unusable(listed, found, dataset),
        labels=label_facts({split.name: split.labels for split in dataset.splits}),
        duplicates=_duplicates(samples, files),
        warnings=list(warnings_of(config.expected, len(samples) + len(dataset.skipped), samples)),
        contradictions=None if trained is None else contradictions(trained, dataset),
    )


def _usable(listed: Sequence[AuditedSample], found: Found) -> tuple[list[AuditedSample], list[FileFacts]]:
    pairs = [
        (sample, facts)
        for sample, facts in zip(listed, found, strict=True)
        if sample.split and not isinstance(facts, Damaged)
    ]
    return [sample for sample, _ in pairs], [facts for _, facts in pairs]


def _unusable(listed: Sequence[AuditedSample], found: Found, dataset: PreparedDataset) -> list[Unusable]:
    kinds = {sample.name: facts.kind for sample, facts in zip(listed, found, strict=True) if isinstance(facts, Damaged)}
    return [Unusable(file.name, kinds.get(file.name, Damage.rejected), file.reason) for file in dataset.skipped]


def _duplicates(samples: Sequence[AuditedSample], files: Sequence[FileFacts]) -> Duplicates:
    def differing(groups: Groups, values: Sequence[object]) -> Groups:
        return [group for group in groups if len({values[index] for index in group}) > 1]

    equal_pixels = groups_of([file.pixels for file in files])
    return Duplicates(
        equal_bytes=groups_of([file.content for file in files]),
        equal_pixels=differing(equal_pixels, [file.content for file in files]),
        relabelled=differing(equal_pixels, [sample.label for sample in samples]),
        near=_near(samples, files),
    )


def _near(samples: Sequence[AuditedSample], files: Sequence[FileFacts]) -> NearGroups:
    """Groups of near duplicates, those across splits first. Of samples with equal pixels, only the first one counts."""
    first: dict[bytes, int] = {}
    for index, file in enumerate(files):
        first.setdefault(file.pixels, index)
    positions = list(first.values())
    hashes = np.frombuffer(b"".join(files[index].perceptual for index in positions), np.uint8)
    near = near_groups(hashes.reshape(len(positions), -1))
    groups = [[positions[place] for place in group] for group in near.groups]
    groups.sort(key=lambda group: len({samples[index].split for index in group}), reverse=True)
    return NearGroups(groups, near.complete)

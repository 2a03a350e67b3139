"""The samples of a dataset, each with its split."""

from dataclasses import dataclass

from captcha_exp.config import DatasetConfig
from captcha_exp.dataset import PreparedDataset
from captcha_exp.dataset.label_checks import in_case
from captcha_exp.dataset.samples import Source


@dataclass(frozen=True, slots=True)
class AuditedSample:
    """One labelled image file. `label` is as models learn it. `split` is None if the file cannot be used."""

    name: str
    label: str
    origin: str
    split: str | None
    locator: str

    def to_dict(self) -> dict[str, str | None]:
        """Name, label and split of the sample, fit for JSON."""
        return {"name": self.name, "label": self.label, "origin": self.origin, "split": self.split}


def audited_samples(source: Source, dataset: PreparedDataset, config: DatasetConfig) -> list[AuditedSample]:
    """The samples of a source that a prepared dataset holds or skipped. Others were left out by `dataset.limit`."""
    # A table may name a file twice. With two labels these are two samples; with one label both are in the same split.
    splits = {
        (name, label): split.name
        for split in dataset.splits
        for name, label in zip(split.names, split.labels, strict=True)
    }
    skipped = {file.name for file in dataset.skipped}
    labels = in_case([sample.label for sample in source.samples], config.label_case)
    return [
        AuditedSample(sample.name, label, sample.origin, splits.get((sample.name, label)), sample.locator)
        for sample, label in zip(source.samples, labels, strict=True)
        if (sample.name, label) in splits or sample.name in skipped
    ]

"""The samples of a dataset with the split that each is in."""

from dataclasses import dataclass

from captcha_exp.config import DatasetConfig
from captcha_exp.dataset import PreparedDataset
from captcha_exp.dataset.label_checks import in_case
from captcha_exp.dataset.samples import Source


@dataclass(frozen=True, slots=True)
class AuditedSample:
    """One labelled image file: `label` as models learn it, `split` None where the file gives no image."""

    name: str
    label: str
    origin: str
    split: str | None
    locator: str

    def to_dict(self) -> dict[str, str | None]:
        """What names the sample, fit for JSON."""
        return {"name": self.name, "label": self.label, "origin": self.origin, "split": self.split}


def audited_samples(source: Source, dataset: PreparedDataset, config: DatasetConfig) -> list[AuditedSample]:
    """The samples of a source that a prepared dataset holds or has skipped; `dataset.limit` leaves out the others."""
    # A table may name a file twice, with two labels. With the same label twice it is in the same split twice.
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

"""Records which data a run uses. A sweep does so at its start, so nothing here loads what draws."""

from captcha_exp.dataset import PreparedDataset
from captcha_exp.tracking import LoggedSplit, TrackedRun


def log_inputs(run: TrackedRun, dataset: PreparedDataset) -> None:
    """Record in the store which data the run will use."""
    splits = {split.name: LoggedSplit(len(split), dataset.digest_of(split)) for split in dataset.splits if len(split)}
    run.log_dataset(dataset.source_name, dataset.source_uri, dataset.fingerprint, splits)

"""Labelled images: where they come from, what is wrong with them, how they are split."""

from captcha_exp.dataset.prepared import PreparedDataset, Split, check_labels_fit, prepare_dataset
from captcha_exp.dataset.samples import Sample, SkippedFile, Source

__all__ = ["PreparedDataset", "Sample", "SkippedFile", "Source", "Split", "check_labels_fit", "prepare_dataset"]

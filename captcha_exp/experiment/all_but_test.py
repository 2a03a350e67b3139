"""Training on everything that is not held out for the test."""

from dataclasses import replace

from captcha_exp.dataset import PreparedDataset


def with_validation_trained(dataset: PreparedDataset) -> PreparedDataset:
    """The same dataset with its validation images in `train` and an empty `validation`; `test` stays as it is."""
    return replace(dataset, train=dataset.train.followed_by(dataset.validation), validation=dataset.validation.only([]))

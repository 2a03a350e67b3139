"""Prepares a training on all images except the test images."""

from dataclasses import replace

from captcha_exp.dataset import PreparedDataset


def with_validation_trained(dataset: PreparedDataset) -> PreparedDataset:
    """The same dataset with its validation images moved to `train`. `validation` is empty, and `test` is unchanged."""
    return replace(dataset, train=dataset.train.followed_by(dataset.validation), validation=dataset.validation.only([]))

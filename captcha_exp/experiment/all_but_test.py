"""Training on everything that is not held out for the test."""

from dataclasses import replace

import numpy as np

from captcha_exp.dataset import PreparedDataset


def with_validation_trained(dataset: PreparedDataset) -> PreparedDataset:
    """The same dataset with its validation images in `train` and an empty `validation`; `test` stays as it is."""
    train, validation = dataset.train, dataset.validation
    return replace(
        dataset,
        train=replace(
            train,
            images=np.concatenate([train.images, validation.images]),
            labels=train.labels + validation.labels,
            names=train.names + validation.names,
            origins=train.origins + validation.origins,
        ),
        validation=replace(validation, images=validation.images[:0], labels=[], names=[], origins=[]),
    )

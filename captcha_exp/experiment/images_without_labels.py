"""Brings the images of `training.unlabelled` to a dataset."""

import logging
from dataclasses import replace

import numpy as np

from captcha_exp.config import Config
from captcha_exp.dataset import PreparedDataset
from captcha_exp.dataset.unlabelled_folder import unlabelled_images
from captcha_exp.errors import InputError
from captcha_exp.evaluate.seen_images import image_digests

_log = logging.getLogger(__name__)


def with_unlabelled(dataset: PreparedDataset, config: Config) -> PreparedDataset:
    """The same dataset with the images of `training.unlabelled`, if that is set.

    The folder may hold images of the dataset too. No image that equals one of these, pixel by pixel, is taken: neither
    validation nor test images are learnt from. Of equal images one is taken.

    Raises:
        InputError: see `unlabelled_images`; or no image is left.
    """
    path = config.training.unlabelled
    if path is None:
        return dataset
    found = unlabelled_images(path, config.dataset, config.root_path)
    known = [image_digests(split.images) for split in dataset.splits if len(split)]
    digests, first = np.unique(image_digests(found.images), return_index=True)
    rows = np.sort(first[~np.isin(digests, np.concatenate(known))])
    if not len(rows):
        raise InputError(f"training.unlabelled={path} has no other images than the dataset; set it to null.")
    left_out = len(found) - len(rows)
    same = f"; {left_out:,} others equal one of these or one of the dataset" if left_out else ""
    _log.info("unlabelled: %s images without a label%s", f"{len(rows):,}", same)
    return replace(dataset, unlabelled=found.only(rows))

"""Tells images that a choice has seen apart from those of a test."""

import numpy as np

from captcha_exp.dataset import PreparedDataset, Split
from captcha_exp.errors import InputError
from captcha_exp.evaluate.seen_images import chose
from captcha_exp.tracking import LoadedRecogniser


def apart_from_choices(
    recogniser: LoadedRecogniser, dataset: PreparedDataset, split: Split
) -> tuple[Split, str | None]:
    """The images of a split on which a model may be judged, and the line that tells what was done; None if nothing.

    The validation images of a training chose the epoch whose weights were kept, so they flatter a model. They are left
    out of a test split. Another split is returned as it is.

    Args:
        recogniser: the model.
        dataset: the dataset as the model sees it.
        split: one of its splits.

    Raises:
        InputError: no image of a test split would be left.
    """
    chosen = chose(recogniser, split.images)
    count = 0 if chosen is None else int(chosen.sum())
    if split.name == "validation" and count:
        return split, f"{count} of the {len(split)} images chose the epoch of this model, so they flatter it"
    if split.name != "test":
        return split, None
    if chosen is None:
        return split, _not_known(recogniser, dataset)
    if not count:
        return split, None
    if count == len(split):
        raise InputError(
            f"All {count} images of split=test are among those that chose the epoch of the model (its validation "
            "images), so they would flatter it; judge it on images that no choice has seen, or take split=validation."
        )
    return split.only(np.flatnonzero(~chosen)), (
        f"left out: {count} of the {len(split)} images, because they chose the epoch of this model (they are among its "
        f"validation images); the figures are of the other {len(split) - count}"
    )


def _not_known(recogniser: LoadedRecogniser, dataset: PreparedDataset) -> str | None:
    if recogniser.dataset["fingerprint"] == dataset.fingerprint:
        return None  # it was divided alike, which was checked
    return (
        "not known: whether some of these images chose the epoch of this model; the version that trained it kept no "
        "list of its validation images"
    )

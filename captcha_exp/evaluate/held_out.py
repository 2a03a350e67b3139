"""A dataset as a trained model sees it, with its training images kept apart."""

from pathlib import Path

from captcha_exp.config import DatasetConfig, to_plain
from captcha_exp.dataset import PreparedDataset, Split, prepare_dataset
from captcha_exp.dataset.split import DIVIDING
from captcha_exp.errors import InputError
from captcha_exp.evaluate.seen_images import count_seen
from captcha_exp.reader.image import ImageSpec
from captcha_exp.tracking import LoadedRecogniser

# The keys that decide which files are in which split.
SPLIT_KEYS = (*DIVIDING, "limit")


def dataset_as_seen(recogniser: LoadedRecogniser, config: DatasetConfig, root: Path) -> PreparedDataset:
    """A dataset with its images in the form that the model was trained on. The model's settings override `config`.

    Raises:
        InputError: the dataset cannot be used.
    """
    image = ImageSpec.from_dict(recogniser.image)
    own = config.model_copy(
        update={
            "image_height": image.height,
            "image_width": image.width,
            "keep_aspect_ratio": image.keep_aspect_ratio,
            "background": image.background,
            "channels": image.channels,
            "polarity": image.polarity,
            "rows": image.rows,
        }
    )
    return prepare_dataset(own, root)


def check_divided_alike(recogniser: LoadedRecogniser, dataset: PreparedDataset, config: DatasetConfig) -> None:
    """Refuse to divide the data in another way than for the training: held-out images could be training images.

    Raises:
        InputError: the division differs; the message names the key.
    """
    if recogniser.dataset["fingerprint"] != dataset.fingerprint:
        return
    trained, given = recogniser.config.get("dataset"), to_plain(config)
    if not isinstance(trained, dict):
        raise InputError(f"The model does not say how its dataset was divided: it has {trained!r}. Train it again.")
    if given["test_fraction"] == 1 != trained.get("test_fraction", 0.0):
        raise InputError(
            "The model was trained on this dataset, so not all of its images can judge it; take "
            f"`split=test dataset.test_fraction={trained.get('test_fraction', 0.0)}`, or other images."
        )
    for key in SPLIT_KEYS:
        if key in trained and trained[key] != given[key]:
            raise InputError(
                f"dataset.{key} is {given[key]}, but {trained[key]} when the model was trained on the same data: "
                f"images that it has seen would count as unseen. Set `dataset.{key}={trained[key]}`."
            )


def unseen_split(recogniser: LoadedRecogniser, dataset: PreparedDataset, name: str) -> Split:
    """A split on which to judge the model.

    Raises:
        InputError: the split does not exist, is empty, or holds images that the model was trained on (`train` may).
    """
    split = dataset.split(name)
    if not len(split):
        raise InputError(f"split={name} is empty; raise `dataset.{name}_fraction`.")
    seen = count_seen(recogniser, split.images)
    if name != "train" and seen:
        raise InputError(
            f"{seen} of the {len(split)} images of split={name} are among those that the model was trained on, so they "
            "would flatter it; judge it on images that it has not seen."
        )
    return split

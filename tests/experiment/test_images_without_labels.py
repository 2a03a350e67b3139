"""Which images a network may read for itself."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from captcha_exp.config import Config
from captcha_exp.dataset import prepare_dataset
from captcha_exp.errors import InputError
from captcha_exp.experiment.images_without_labels import with_unlabelled

Compose = Callable[..., Config]


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Twenty images that are named after their texts."""
    folder = tmp_path / "labelled"
    folder.mkdir()
    for number in range(20):
        write(folder / f"{number:02d}.png", number)
    return folder


def write(path: Path, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (16, 40), np.uint8)
    Image.fromarray(pixels).save(path)


def test_no_image_of_any_split_is_among_them_and_no_image_twice(
    labelled: Path, compose: Compose, tmp_path: Path, told: list[str]
) -> None:
    everything = tmp_path / "everything"
    shutil.copytree(labelled, everything)
    for name, seed in {"new": 100, "other": 101, "copy of new": 100}.items():
        write(everything / f"{name}.png", seed)
    config = compose("dataset=folder", f"dataset.path={labelled}", f"training.unlabelled={everything}")
    dataset = prepare_dataset(config.dataset, config.root_path)
    assert all(len(split) for split in dataset.splits)
    found = with_unlabelled(dataset, config).unlabelled
    assert found is not None and sorted(found.names) in (["copy of new.png", "other.png"], ["new.png", "other.png"])
    assert told[-1] == "unlabelled: 2 images without a label; 21 others equal one of these or one of the dataset"
    with pytest.raises(InputError, match="has no other images than the dataset; set it to null"):
        only = config.training.model_copy(update={"unlabelled": str(labelled)})
        with_unlabelled(dataset, config.model_copy(update={"training": only}))


def test_without_the_key_the_dataset_stays_as_it_is(labelled: Path, compose: Compose) -> None:
    config = compose("dataset=folder", f"dataset.path={labelled}")
    dataset = prepare_dataset(config.dataset, config.root_path)
    assert with_unlabelled(dataset, config) is dataset

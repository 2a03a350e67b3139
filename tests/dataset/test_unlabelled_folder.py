"""Images that nobody has labelled."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from captcha_exp.config import Config
from captcha_exp.dataset.unlabelled_folder import unlabelled_images
from captcha_exp.errors import InputError

Compose = Callable[..., Config]


@pytest.fixture
def folder(make_folder: Callable[..., Path]) -> Path:
    """Three images, one of them in a subfolder."""
    folder = make_folder(["b (1)", "a"], "images")
    make_folder(["c"], "images/deeper", ".jpg")
    return folder


def test_all_images_of_a_folder_are_decoded_like_the_dataset_and_have_no_label(
    folder: Path, compose: Compose, told: list[str]
) -> None:
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n, but no more of it")
    (folder / "notes.txt").write_text("no image")
    config = compose("dataset=folder", "dataset.path=elsewhere", "dataset.image_height=20", "dataset.channels=rgb")
    found = unlabelled_images(str(folder), config.dataset, config.root_path)
    assert found.names == ["a.png", "b (1).png", "deeper/c.jpg"]
    assert (found.labels, found.images.shape) == (["", "", ""], (3, 20, config.dataset.image_width, 3))
    assert len(np.unique(found.images[:], axis=0)) == 2, "the first image of each folder has the same pixels"
    (line,) = [line for line in told if line.startswith("unlabelled: ")]
    assert line.startswith("unlabelled: 1 files cannot be used: broken.png (")


def test_an_archive_is_a_folder_too(folder: Path, compose: Compose, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        archive.write(folder / "a.png", "a.png")
    config = compose()
    assert unlabelled_images(str(tmp_path / "images.zip"), config.dataset, config.root_path).names == ["a.png"]


def test_a_folder_that_cannot_be_used_is_refused_in_a_line(compose: Compose, tmp_path: Path) -> None:
    config = compose()
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.png").touch()
    for name, reason in {
        "nowhere": "does not exist.",
        "file.png": "is not a folder of images.",
        "empty": "has no image that can be read.",
    }.items():
        with pytest.raises(InputError) as raised:
            unlabelled_images(str(tmp_path / name), config.dataset, config.root_path)
        assert str(raised.value) == f"training.unlabelled={tmp_path / name} {reason}"

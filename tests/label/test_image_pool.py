"""What a folder has to label."""

from pathlib import Path

import pytest

from captcha_exp.config import FolderConfig
from captcha_exp.errors import InputError
from captcha_exp.label.image_pool import open_pool
from tests.label.conftest import Configured, write_images
from tests.told import hearing


def dataset_of(configured: Configured, *overrides: str) -> FolderConfig:
    dataset = configured(*overrides).dataset
    assert isinstance(dataset, FolderConfig)
    return dataset


def test_copies_and_what_cannot_be_read_or_named_in_a_table_are_left_out_and_told(
    configured: Configured, folder: Path
) -> None:
    (folder / "copy.png").write_bytes((folder / "3.png").read_bytes())
    (folder / "bad.png").write_bytes(b"no image")
    (folder / "two\nlines.png").write_bytes((folder / "3.png").read_bytes())
    (folder / " blank.png").write_bytes((folder / "4.png").read_bytes())
    (folder / "half\udcff.png").write_bytes((folder / "4.png").read_bytes())
    told: list[str] = []
    with hearing(told.append):
        pool = open_pool(dataset_of(configured))
    assert [image.name for image in pool.images] == [f"{number}.png" for number in range(20)]
    assert pool.thumbnails.shape == (20, 24 * 8)
    assert told[1].startswith("4 files cannot be labelled:  blank.png (its name has line ends or other invisible")
    assert told[2] == "1 images are copies of others, pixel by pixel, and are left out"


def test_folders_below_are_taken_if_that_is_asked_for(configured: Configured, tmp_path: Path) -> None:
    below = write_images(tmp_path / "tree", ["a/1.png", "a/2.png", "b/3.png"])
    with pytest.raises(InputError, match=r"has no image files .*set `dataset.recursive=true`"):
        open_pool(dataset_of(configured, f"dataset.path={below}"))
    pool = open_pool(dataset_of(configured, f"dataset.path={below}", "dataset.recursive=true"))
    assert [image.name for image in pool.images] == ["a/1.png", "a/2.png", "b/3.png"]


def test_what_is_no_folder_or_has_no_readable_image_is_one_line(configured: Configured, tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "x.png").write_bytes(b"")
    for path, message in (
        ("nowhere", "does not exist"),
        ("bad/x.png", "is not a folder; unpack an archive first"),
        ("bad", "has no image that can be read"),
    ):
        with pytest.raises(InputError, match=rf"^dataset\.path=\S+{path} {message}\.$"):
            open_pool(dataset_of(configured, f"dataset.path={tmp_path / path}"))

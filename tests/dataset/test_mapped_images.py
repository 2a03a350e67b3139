"""Decoded images on disk, read where they are indexed."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from captcha_exp.dataset.mapped_images import MappedImages


@pytest.fixture
def stored(tmp_path: Path) -> np.ndarray:
    """Six images of 2 x 3, also in the file `images.bin`."""
    images = np.arange(36, dtype=np.uint8).reshape(6, 2, 3)
    (tmp_path / "images.bin").write_bytes(images.tobytes())
    return images


def opened(folder: Path, rows: list[int]) -> MappedImages:
    return MappedImages.open(folder / "images.bin", (2, 3), np.array(rows, np.int64))


def test_they_are_indexed_as_an_array_in_their_own_order(tmp_path: Path, stored: np.ndarray) -> None:
    rows = [4, 0, 5]
    mapped, expected = opened(tmp_path, rows), stored[rows]
    assert (len(mapped), mapped.shape, mapped.dtype, mapped.ndim) == (3, (3, 2, 3), np.uint8, 3)
    for index in (1, -1, slice(0, 2), slice(0, 0), [2, 0], np.array([True, False, True])):
        np.testing.assert_array_equal(mapped[index], expected[index])
    np.testing.assert_array_equal(np.stack(list(mapped)), expected)
    np.testing.assert_array_equal(mapped, expected)


def test_what_is_read_can_be_written_without_a_change_on_disk(tmp_path: Path, stored: np.ndarray) -> None:
    mapped = opened(tmp_path, [0, 1])
    mapped[0][:] = 99
    np.testing.assert_array_equal(mapped, stored[:2])
    with pytest.raises(ValueError, match="only as a copy"):
        np.asarray(mapped, copy=False)


def test_parts_and_sums_stay_on_disk(tmp_path: Path, stored: np.ndarray) -> None:
    mapped = opened(tmp_path, [4, 0, 5])
    part = mapped.only([2, 0])
    assert isinstance(part, MappedImages)
    np.testing.assert_array_equal(part.followed_by(mapped.only([1])), stored[[5, 4, 0]])
    assert len(mapped.only([])) == 0


def test_images_in_colour_are_of_three_channels(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (4, 2, 3, 3), np.uint8)
    (tmp_path / "images.bin").write_bytes(pixels.tobytes())
    mapped = MappedImages.open(tmp_path / "images.bin", (2, 3, 3), np.array([3, 1]))
    assert (mapped.shape, mapped.ndim) == ((2, 2, 3, 3), 4)
    np.testing.assert_array_equal(mapped, pixels[[3, 1]])
    np.testing.assert_array_equal(mapped.only([1]), pixels[[1]])


def test_no_images_are_an_array_of_none(tmp_path: Path) -> None:
    (tmp_path / "images.bin").touch()
    assert opened(tmp_path, []).shape == (0, 2, 3)


def test_another_process_gets_their_place_and_not_their_pixels(tmp_path: Path, stored: np.ndarray) -> None:
    sent = pickle.dumps(opened(tmp_path, [4, 0]).only([1, 0]))
    assert stored[4].tobytes() not in sent
    np.testing.assert_array_equal(pickle.loads(sent), stored[[0, 4]])


def test_images_of_several_files_are_one_array(tmp_path: Path, stored: np.ndarray) -> None:
    others = np.arange(100, 130, dtype=np.uint8).reshape(5, 2, 3)
    (tmp_path / "others.bin").write_bytes(others.tobytes())
    second = MappedImages.open(tmp_path / "others.bin", (2, 3), np.array([4, 1]))
    joined = opened(tmp_path, [5, 0]).followed_by(second).followed_by(opened(tmp_path, [2]))
    expected = np.stack([stored[5], stored[0], others[4], others[1], stored[2]])
    assert (len(joined), joined.shape) == (5, (5, 2, 3))
    for index in (3, -1, slice(1, 4), slice(0, 0), [4, 2, 0], np.array([True, False, True, False, False])):
        np.testing.assert_array_equal(joined[index], expected[index])
    np.testing.assert_array_equal(np.stack(list(joined)), expected)
    np.testing.assert_array_equal(joined.only([3, 0]), expected[[3, 0]])
    sent = pickle.dumps(joined)
    assert others[4].tobytes() not in sent
    np.testing.assert_array_equal(pickle.loads(sent), expected)

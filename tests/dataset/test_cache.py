"""Decoded images on disk: written once, never believed when half written."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL
import pytest
from PIL import Image

from captcha_exp.config import Config
from captcha_exp.dataset import PreparedDataset, prepare_dataset
from captcha_exp.dataset.image_spec import image_spec
from captcha_exp.dataset.mapped_images import MappedImages
from captcha_exp.errors import InputError
from captcha_exp.reader.image import decode_image
from tests.told import hearing

Compose = Callable[..., Config]
MakeFolder = Callable[..., Path]


def prepared(compose: Compose, folder: Path, *overrides: str) -> PreparedDataset:
    config = compose("dataset=folder", f"dataset.path={folder}", *overrides)
    return prepare_dataset(config.dataset, config.root_path)


def test_images_are_mapped_read_only_and_belong_to_their_labels(
    compose: Compose, make_folder: MakeFolder, labels: list[str]
) -> None:
    folder = make_folder(labels)
    (folder / "a0.png").touch()
    dataset = prepared(compose, folder, "dataset.max_bad_share=0.1")
    spec = image_spec(compose("dataset=folder", f"dataset.path={folder}").dataset)
    for split in dataset.splits:
        assert split.images.shape == (len(split), 50, 200) and split.images.dtype == np.uint8
        assert isinstance(split.images, MappedImages), "the images stay on disk"
        for image, name, label, origin in zip(split.images, split.names, split.labels, split.origins, strict=True):
            assert (name, origin) == (f"{label}.png", "folder")
            np.testing.assert_array_equal(image, decode_image((folder / name).read_bytes(), spec))


def test_a_second_start_decodes_nothing(
    compose: Compose, make_folder: MakeFolder, labels: list[str], told: list[str]
) -> None:
    folder = make_folder(labels)
    first = prepared(compose, folder)
    assert len(told) == 1 and told[0].startswith("prepared 40 of 40 images (")
    again = prepared(compose, folder)
    assert len(told) == 1
    assert (again.fingerprint, again.cache_dir) == (first.fingerprint, first.cache_dir)
    np.testing.assert_array_equal(again.test.images, first.test.images)


def test_splits_and_label_case_share_one_decoded_cache(
    compose: Compose, make_folder: MakeFolder, labels: list[str]
) -> None:
    folder = make_folder(labels)
    datasets = [
        prepared(compose, folder, *overrides)
        for overrides in ([], ["dataset.split_seed=1"], ["dataset.test_fraction=0"], ["dataset.label_case=lower"])
    ]
    assert len({dataset.cache_dir for dataset in datasets}) == 1
    assert len({dataset.fingerprint for dataset in datasets}) == 1
    assert datasets[0].test.labels != datasets[1].test.labels
    assert len(datasets[2].test) == 0 and datasets[2].test.images.shape == (0, 50, 200)


def test_another_image_size_is_another_cache_of_the_same_dataset(
    compose: Compose, make_folder: MakeFolder, labels: list[str]
) -> None:
    folder = make_folder(labels)
    large, small = prepared(compose, folder), prepared(compose, folder, "dataset.image_height=32")
    assert large.cache_dir != small.cache_dir
    assert large.fingerprint == small.fingerprint
    assert large.test.labels == small.test.labels


def test_colour_and_polarity_have_caches_of_their_own_and_the_same_splits(
    compose: Compose, make_folder: MakeFolder, labels: list[str]
) -> None:
    folder = make_folder(labels)
    grey, colour, turned = (
        prepared(compose, folder, *overrides)
        for overrides in ([], ["dataset.channels=rgb"], ["dataset.polarity=dark_text"])
    )
    assert len({dataset.cache_dir for dataset in (grey, colour, turned)}) == 3
    assert grey.fingerprint == colour.fingerprint == turned.fingerprint
    assert grey.test.names == colour.test.names == turned.test.names
    assert colour.test.images.shape == (len(colour.test), 50, 200, 3)
    assert turned.test.images.shape == grey.test.images.shape
    for channel in range(3):
        np.testing.assert_array_equal(colour.test.images[:][..., channel], grey.test.images, "a grey PNG is grey")
    again = prepared(compose, folder, "dataset.channels=rgb")
    np.testing.assert_array_equal(again.test.images, colour.test.images)


def test_the_cache_of_grey_images_of_an_earlier_version_is_found(
    compose: Compose, make_folder: MakeFolder, labels: list[str]
) -> None:
    dataset = prepared(compose, make_folder(labels))
    identity = json.loads((dataset.cache_dir / "meta.json").read_text())["identity"]
    described = {"height": 50, "width": 200, "keep_aspect_ratio": False, "background": 255}
    assert identity == json.dumps([2, PIL.__version__, described])


def test_changed_files_change_the_fingerprint_and_touched_ones_do_not(
    compose: Compose, make_folder: MakeFolder, labels: list[str]
) -> None:
    folder = make_folder(labels)
    before = prepared(compose, folder)
    os.utime(folder / f"{labels[0]}.png", ns=(1, 1))
    touched = prepared(compose, folder)
    assert (touched.fingerprint, touched.cache_dir) == (before.fingerprint, before.cache_dir)
    Image.new("L", (40, 16), 7).save(folder / f"{labels[0]}.png")
    assert prepared(compose, folder).fingerprint != before.fingerprint
    (folder / f"{labels[1]}.png").rename(folder / "999.png")
    assert prepared(compose, folder).fingerprint != before.fingerprint


def test_identical_images_under_other_labels_stay_on_one_side(
    compose: Compose, make_folder: MakeFolder, labels: list[str]
) -> None:
    folder = make_folder(labels)
    for index, label in enumerate(labels):
        Image.open(folder / f"{label}.png").save(folder / f"1{index:03d}.bmp")
    for seed in range(3):
        dataset = prepared(compose, folder, f"dataset.split_seed={seed}")
        sides = [{image.tobytes() for image in split.images} for split in dataset.splits]
        assert not sides[0] & sides[1] and not sides[0] & sides[2] and not sides[1] & sides[2]
        assert sum(map(len, dataset.splits)) == 80


def test_a_limit_draws_the_same_samples_again(compose: Compose, make_folder: MakeFolder) -> None:
    folder = make_folder([f"{index:03d}" for index in range(300)])
    drawn = [
        {name for split in prepared(compose, folder, "dataset.limit=100", seed).splits for name in split.names}
        for seed in ("dataset.split_seed=0", "dataset.split_seed=0", "dataset.split_seed=1")
    ]
    assert [len(names) for names in drawn] == [100] * 3
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize("damage", ["cut images", "cut meta", "no meta", "no folder", "cut splits"])
def test_a_damaged_cache_is_made_again(
    compose: Compose, make_folder: MakeFolder, labels: list[str], damage: str
) -> None:
    folder = make_folder(labels)
    before = prepared(compose, folder)
    expected = np.array(before.train.images)
    cache = before.cache_dir
    if damage == "cut images":
        os.truncate(cache / "images.bin", 1000)
    elif damage == "cut meta":
        os.truncate(cache / "meta.json", 100)
    elif damage == "no meta":
        (cache / "meta.json").unlink()
    elif damage == "cut splits":
        (splits,) = cache.glob("answer-*.json")
        os.truncate(splits, 100)
    else:
        cache.rename(cache.with_name("gone"))
    after = prepared(compose, folder)
    assert after.cache_dir == cache
    np.testing.assert_array_equal(after.train.images, expected)


def test_a_cache_of_an_older_format_is_made_again(
    compose: Compose, make_folder: MakeFolder, labels: list[str], told: list[str]
) -> None:
    folder = make_folder(labels)
    before = prepared(compose, folder)
    meta = before.cache_dir / "meta.json"
    written = json.loads(meta.read_text())
    version, *others = json.loads(written["identity"])
    assert version == 2
    # As format 1 was: names and labels in place of the order.
    written |= {"identity": json.dumps([1, *others]), "names": [], "labels": [], "origins": []}
    del written["order"]
    meta.write_text(json.dumps(written))
    told.clear()
    after = prepared(compose, folder)
    assert told[0].startswith("prepared 40 of 40 images")
    assert "order" in json.loads(meta.read_text())
    np.testing.assert_array_equal(after.train.images, before.train.images)


def test_removing_the_folder_of_caches_is_safe(compose: Compose, make_folder: MakeFolder, labels: list[str]) -> None:
    folder = make_folder(labels)
    before = prepared(compose, folder)
    expected = np.array(before.train.images)
    shutil.rmtree(before.cache_dir.parent)
    # What a training has mapped stays until it ends.
    np.testing.assert_array_equal(before.train.images, expected)
    after = prepared(compose, folder)
    assert (after.fingerprint, after.cache_dir) == (before.fingerprint, before.cache_dir)
    np.testing.assert_array_equal(after.train.images, expected)


def test_removing_the_caches_under_a_preparation_ends_it_in_one_line(
    compose: Compose, make_folder: MakeFolder, labels: list[str], tmp_path: Path
) -> None:
    folder = make_folder(labels)
    with (
        pytest.raises(
            InputError, match=r"^The cache .* cannot be used \(No such file or directory .*\); remove the cause"
        ),
        hearing(lambda line: shutil.rmtree(tmp_path / "cache")),
    ):
        prepared(compose, folder)
    assert sum(map(len, prepared(compose, folder).splits)) == 40


def test_equal_images_in_another_order_do_not_share_a_cache(compose: Compose, make_folder: MakeFolder) -> None:
    labels = [f"{index:03d}" for index in range(40)]
    forward = make_folder(labels, "forward")
    backward = forward.with_name("backward")
    backward.mkdir()
    for index, label in enumerate(labels):
        (backward / f"{99 - index}_{label}.png").write_bytes((forward / f"{label}.png").read_bytes())
    one = prepared(compose, forward)
    other = prepared(compose, backward, r"dataset.label_pattern='[0-9]+_(?P<label>.+)'")
    assert one.fingerprint == other.fingerprint
    for first, second in zip(one.splits, other.splits, strict=True):
        images = dict(zip(first.labels, first.images, strict=True))
        assert second.labels == first.labels[::-1]
        for label, image in zip(second.labels, second.images, strict=True):
            np.testing.assert_array_equal(image, images[label])


def test_a_root_that_cannot_be_written_is_refused(
    compose: Compose, make_folder: MakeFolder, labels: list[str], tmp_path: Path
) -> None:
    config = compose("dataset=folder", f"dataset.path={make_folder(labels)}")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"^The cache .*/file/cache cannot be used \(Not a directory .*set `root="):
        prepare_dataset(config.dataset, tmp_path / "file")

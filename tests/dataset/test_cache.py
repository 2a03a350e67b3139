"""Decoded images on disk: written once, never believed when half written."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from captcha_exp.config import Config
from captcha_exp.dataset import PreparedDataset, prepare_dataset
from captcha_exp.errors import InputError
from captcha_exp.image import ImageSpec, decode_image

Compose = Callable[..., Config]
MakeFolder = Callable[..., Path]

RENDERED = 1500  # enough for a second or two of work, most of it in child processes
SCRIPT = f"""
import sys
from pathlib import Path
from hydra import compose, initialize_config_dir
from captcha_exp.config import conf_dir, load_config
from captcha_exp.dataset import prepare_dataset
with initialize_config_dir(str(conf_dir()), version_base="1.3"):
    config = load_config(compose("config", ["dataset=synthetic", "dataset.size={RENDERED}"]))
print("starting", flush=True)
sys.stdin.readline()
print(prepare_dataset(config.dataset, Path(sys.argv[1])).fingerprint, flush=True)
"""


def preparing(root: Path) -> "subprocess.Popen[str]":
    """A process that prepares a dataset once it is sent a line."""
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "starting\n"
    return process


def prepared(
    compose: Compose, folder: Path, *overrides: str, report: Callable[[str], None] = lambda line: None
) -> PreparedDataset:
    config = compose("dataset=folder", f"dataset.path={folder}", *overrides)
    return prepare_dataset(config.dataset, config.root_path, report)


def test_images_are_mapped_read_only_and_belong_to_their_labels(
    compose: Compose, make_folder: MakeFolder, labels: list[str]
) -> None:
    folder = make_folder(labels)
    (folder / "a0.png").touch()
    dataset = prepared(compose, folder, "dataset.max_bad_share=0.1")
    spec = ImageSpec.of(compose("dataset=folder", f"dataset.path={folder}").dataset)
    for split in dataset.splits:
        assert split.images.shape == (len(split), 50, 200) and split.images.dtype == np.uint8
        assert isinstance(split.images, np.memmap) and not split.images.flags.writeable
        for image, name, label, origin in zip(split.images, split.names, split.labels, split.origins, strict=True):
            assert (name, origin) == (f"{label}.png", "folder")
            np.testing.assert_array_equal(image, decode_image((folder / name).read_bytes(), spec))


def test_a_second_start_decodes_nothing(compose: Compose, make_folder: MakeFolder, labels: list[str]) -> None:
    folder = make_folder(labels)
    lines: list[str] = []
    first = prepared(compose, folder, report=lines.append)
    assert len(lines) == 1 and lines[0].startswith("prepared 40 of 40 images (")
    again = prepared(compose, folder, report=lines.append)
    assert len(lines) == 1
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


@pytest.mark.parametrize("damage", ["cut images", "cut meta", "no meta", "no folder", "no order", "cut order"])
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
    elif damage.endswith("order"):
        (arranged,) = cache.glob("order-*.bin")
        arranged.unlink() if damage.startswith("no") else os.truncate(arranged, 1000)
    else:
        cache.rename(cache.with_name("gone"))
    after = prepared(compose, folder)
    assert after.cache_dir == cache
    np.testing.assert_array_equal(after.train.images, expected)


def test_two_processes_prepare_the_same_dataset_once(tmp_path: Path) -> None:
    processes = [preparing(tmp_path) for _ in range(2)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=60)[0].splitlines() for process in processes]
    assert len({lines[-1] for lines in outputs}) == 1
    lines = [line for output in outputs for line in output]
    assert sum(line.startswith(f"prepared {RENDERED} of {RENDERED} images") for line in lines) == 1
    assert lines.count("waiting for another process that prepares the same dataset") == 1
    assert len(list((tmp_path / "cache").glob("*/meta.json"))) == 1
    assert not list((tmp_path / "cache").rglob("*.partial"))


def test_a_killed_preparation_leaves_nothing_that_is_believed_and_no_process(tmp_path: Path) -> None:
    process = preparing(tmp_path)
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    deadline = time.monotonic() + 30
    # Blocks are allocated as images are written: beyond the first chunks the children are at work.
    while not any(path.stat().st_blocks > 400 for path in tmp_path.rglob("*.partial/images.bin")):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.005)
    process.kill()
    process.wait()
    assert list(tmp_path.rglob("*.partial/images.bin"))
    while _group_alive(process.pid):
        assert time.monotonic() < deadline, "children outlived the killed process"
        time.sleep(0.02)
    again = preparing(tmp_path)
    output, _ = again.communicate("\n", timeout=60)
    assert f"prepared {RENDERED} of {RENDERED} images" in output
    assert not list((tmp_path / "cache").rglob("*.partial"))


def _group_alive(leader: int) -> bool:
    try:
        os.killpg(leader, signal.SIG_DFL)
    except ProcessLookupError:
        return False
    return True


def test_a_root_that_cannot_be_written_is_refused(
    compose: Compose, make_folder: MakeFolder, labels: list[str], tmp_path: Path
) -> None:
    config = compose("dataset=folder", f"dataset.path={make_folder(labels)}")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"^The cache .*/file/cache cannot be used \(Not a directory .*set `root="):
        prepare_dataset(config.dataset, tmp_path / "file")

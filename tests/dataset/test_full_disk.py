"""A disk that gets full while a dataset is prepared."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from captcha_exp.config import Config
from captcha_exp.dataset import PreparedDataset, prepare_dataset
from captcha_exp.errors import FullDiskError
from captcha_exp.files import telling_full_disk
from tests.small_disk import SmallDisk

Compose = Callable[..., Config]
SIZE = ("dataset.image_height=16", "dataset.image_width=40", "dataset.max_bad_share=0.1")


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """80 images of two chunks, one of which cannot be used."""
    folder = tmp_path / "images"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for index in range(80):
        Image.fromarray(rng.integers(0, 256, (16, 40), np.uint8)).save(folder / f"{index:03d}.png")
    (folder / "000.png").write_bytes(b"no image")
    return folder


def prepare(config: Config, root: Path) -> PreparedDataset:
    with telling_full_disk(root):
        return prepare_dataset(config.dataset, root)


def test_wherever_it_gets_full_the_same_preparation_goes_on(
    small_disk: SmallDisk, compose: Compose, images: Path, tmp_path: Path
) -> None:
    config = compose("dataset=folder", f"dataset.path={images}", *SIZE)
    whole = prepare(config, tmp_path / "whole")
    failures = 0
    for blocks in range(60):
        root = small_disk.path / str(blocks)
        small_disk.leave(blocks)
        try:
            prepare(config, root)
        except FullDiskError as error:
            failures += 1
            assert f"no room on the disk of {root}" in str(error)
        assert not list(root.rglob("*.partial")), "nothing of no use takes room"
        small_disk.make_room()
        prepared = prepare(config, root)
        assert prepared.fingerprint == whole.fingerprint
        for split, expected in zip(prepared.splits, whole.splits, strict=True):
            np.testing.assert_array_equal(split.images, expected.images)
            assert split.labels == expected.labels
        if blocks > failures + 2:
            break
    assert 10 < failures < 57, "the disk got full at many places, and at last not at all"


def test_the_audit_of_yesterday_stays_and_the_command_is_told_in_one_line(small_disk: SmallDisk, images: Path) -> None:
    command = [sys.executable, "-m", "captcha_exp.prepare", f"root={small_disk.path}", "dataset=folder"]
    command += [f"dataset.path={images}", *SIZE]

    def run() -> "subprocess.CompletedProcess[str]":
        return subprocess.run(command, cwd=images.parent, capture_output=True, text=True, timeout=120)

    first = run()
    assert first.returncode == 0, first.stderr
    kept = {path: path.read_bytes() for path in small_disk.path.glob("audits/*/*")}
    assert {path.name for path in kept} == {"audit.json", "index.html"}
    small_disk.leave(10)
    second = run()
    assert second.returncode == 2
    assert second.stderr.startswith("error: There is no room on the disk of ") and second.stderr.count("\n") == 1
    assert "index.html" in second.stderr
    assert {path: path.read_bytes() for path in small_disk.path.glob("audits/*/*")} == kept

"""Chunks decoded in child processes."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from captcha_exp.child_processes import CHUNK, in_chunks
from captcha_exp.dataset.decode_images import Decoder, Outcome, create_output
from captcha_exp.dataset.image_files import read_file
from captcha_exp.reader.image import ImageSpec

SPEC = ImageSpec(8, 16, False, 255)


def decoded(tmp_path: Path, load: Callable[..., Any], locators: list[str]) -> list[list[Outcome]]:
    """Everything after the first chunk in children."""
    create_output(tmp_path / "images.bin", len(locators), SPEC)
    return list(in_chunks(Decoder(load, SPEC, str(tmp_path / "images.bin")), locators, worth_children_s=0))


def test_images_and_reasons_keep_their_places(tmp_path: Path) -> None:
    for grey in range(200):
        Image.new("L", (16, 8), grey).save(tmp_path / f"{grey}.png")
    locators = [str(tmp_path / f"{index % 200}.png") for index in range(5 * CHUNK)]
    locators[3] = locators[3 * CHUNK + 5] = str(tmp_path / "nowhere.png")
    chunks = decoded(tmp_path, read_file, locators)
    assert list(map(len, chunks)) == [CHUNK] * 5
    outcomes = [outcome for chunk in chunks for outcome in chunk]
    assert {index for index, outcome in enumerate(outcomes) if isinstance(outcome, str)} == {3, 3 * CHUNK + 5}
    assert outcomes[3] == "No such file or directory"
    assert outcomes[7] == outcomes[207] != outcomes[8]
    images = np.fromfile(tmp_path / "images.bin", np.uint8).reshape(-1, 8, 16)
    expected = [0 if index in (3, 3 * CHUNK + 5) else index % 200 for index in range(len(locators))]
    np.testing.assert_array_equal(images, np.broadcast_to(np.array(expected)[:, None, None], images.shape))


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core: no children")
def test_a_mistake_of_the_program_in_a_child_is_raised_here(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="invalid literal for int"):
        decoded(tmp_path, int, ["0"] * CHUNK + ["mistake"] * 3 * CHUNK)


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core: no children")
def test_a_child_that_dies_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(
        RuntimeError, match=r"ended early \(exit code 3\), at one of the files import os.* to import os"
    ):
        decoded(tmp_path, exec, [""] * CHUNK + ["import os; os._exit(3)"] * 3 * CHUNK)

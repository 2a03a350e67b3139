"""The state of a training on disk."""

from pathlib import Path

import numpy as np
import pytest

from captcha_exp.errors import FullDiskError, InputError
from captcha_exp.files import full_disk
from captcha_exp.training.training_state import Checkpoint, load_checkpoint, save_checkpoint
from tests.small_disk import SmallDisk


def checkpoint(epochs: int) -> Checkpoint:
    weights = [np.full((2, 3), epochs, np.float32) for _ in range(12)]
    weights[11][:] = 11
    optimizer = {"mean": np.arange(4.0), "steps": np.array(epochs)}
    return Checkpoint(
        weights,
        [-weight for weight in weights],
        optimizer,
        [{"val/ctc_loss": 0.1 + 0.2}] * epochs,
        "jax",
        {"spent": 1 / 3},
    )


def test_what_is_loaded_is_what_was_saved(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "new", checkpoint(1))
    save_checkpoint(tmp_path / "new", checkpoint(3))
    loaded = load_checkpoint(tmp_path / "new")
    assert loaded is not None
    expected = checkpoint(3)
    np.testing.assert_array_equal(loaded.weights, expected.weights)
    np.testing.assert_array_equal(loaded.best_weights, expected.best_weights)
    assert loaded.history == expected.history
    assert int(loaded.optimizer["steps"]) == 3
    assert (loaded.engine, loaded.duration) == ("jax", {"spent": 1 / 3})
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["training.npz"]


def test_an_empty_folder_has_none(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path) is None


def test_what_a_killed_process_left_half_written_is_not_loaded(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, checkpoint(2))
    (tmp_path / "training.npz.1234.partial").write_bytes(b"PK half")
    loaded = load_checkpoint(tmp_path)
    assert loaded is not None and len(loaded.history) == 2


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"The checkpoint in .*file cannot be written .*set `root`"):
        save_checkpoint(tmp_path / "file", checkpoint(1))


def test_a_full_disk_leaves_the_checkpoint_before(small_disk: SmallDisk) -> None:
    folder = small_disk.path / "outputs"
    save_checkpoint(folder, checkpoint(2))
    blocks = 0
    while blocks < 10:
        small_disk.leave(blocks)
        try:
            save_checkpoint(folder, checkpoint(3))
            break
        except InputError as error:
            assert isinstance(full_disk(error), FullDiskError)
        loaded = load_checkpoint(folder)
        assert loaded is not None and len(loaded.history) == 2
        assert [path.name for path in folder.iterdir()] == ["training.npz"]
        blocks += 1
    assert 1 < blocks < 10
    loaded = load_checkpoint(folder)
    assert loaded is not None and len(loaded.history) == 3

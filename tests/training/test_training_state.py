"""The state of a training on disk."""

from pathlib import Path

import numpy as np
import pytest

from captcha_exp.errors import InputError
from captcha_exp.training.training_state import Checkpoint, load_checkpoint, save_checkpoint


def checkpoint(epochs: int) -> Checkpoint:
    weights = [np.full((2, 3), epochs, np.float32) for _ in range(12)]
    weights[11][:] = 11
    optimizer = {"mean": np.arange(4.0), "steps": np.array(epochs)}
    return Checkpoint(weights, [-weight for weight in weights], optimizer, [{"val/ctc_loss": 0.1 + 0.2}] * epochs)


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

"""A model that runs code when it is loaded, given to each command that takes one."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.loopback import free_port


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder whose SavedModel writes a file `written` beside it as soon as TensorFlow loads it."""
    import tensorflow as tf

    place = tmp_path_factory.mktemp("hostile")

    class Writer(tf.saved_model.experimental.TrackableResource):
        def _create_resource(self) -> Any:
            return tf.raw_ops.MutableHashTableV2(key_dtype=tf.int64, value_dtype=tf.int64)

        def _initialize(self) -> None:
            tf.io.write_file(str(place / "written"), "written")

    module = tf.Module()
    module.writer = Writer()
    size = tf.function(lambda: tf.raw_ops.LookupTableSizeV2(table_handle=module.writer.resource_handle))
    module.serve = tf.function(size, input_signature=[])
    folder = place / "model"
    tf.saved_model.save(module, str(folder / "data" / "model"))
    loaded = {"data": "data", "save_exported_model": True}
    described = {
        "flavors": {"keras": loaded, "python_function": {"loader_module": "mlflow.keras"}},
        "metadata": {
            "characters": "ab",
            "image": {"height": 32, "width": 64, "keep_aspect_ratio": False, "background": 255},
            "decoding": {"kind": "greedy", "beam_width": 1},
            "dataset": {"name": "folder", "fingerprint": "f00d"},
            "config": {},
        },
        "run_id": "0123",
        "model_id": "m-0123",
    }
    (folder / "MLmodel").write_text(yaml.safe_dump(described))
    (place / "written").unlink(missing_ok=True)
    tf.saved_model.load(str(folder / "data" / "model"))
    assert (place / "written").read_text() == "written", "the attack is a real one"
    (place / "written").unlink()
    return folder


@pytest.mark.parametrize("command", ["predict", "evaluate", "prepare", "serve", "train"])
def test_no_command_runs_what_a_model_brings(folder, hostile: Path, command: str) -> None:
    (folder.path / "a.png").write_bytes(b"")
    arguments = {
        "predict": [f"model={hostile}", "a.png"],
        "evaluate": [f"model={hostile}", *folder.tiny],
        "prepare": [f"model={hostile}", *folder.tiny],
        "serve": [f"model={hostile}", f"port={free_port()}"],
        "train": [f"training.initial_model={hostile}", *folder.tiny],
    }[command]
    done = folder.run(*arguments, module="captcha_exp" if command == "train" else f"captcha_exp.{command}")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        f"error: model={hostile} says keras.save_exported_model: True; loading that could run code, so only "
        "data/model.keras of a model that captcha_exp trained is read."
    )
    if command != "train":  # which has told of its data before
        assert len(done.stderr.splitlines()) == 1
    assert not (hostile.parent / "written").exists()

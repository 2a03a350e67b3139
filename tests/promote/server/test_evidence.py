"""What a registry says of a model, against the run and the model's own files."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from captcha_exp.errors import InputError
from captcha_exp.promote.evidence import config_digest, load_challenger, load_version
from captcha_exp.promote.registry_steps import roll_back
from captcha_exp.tracking import Registry, Store
from captcha_exp.tracking.logged_model import model_folder
from tests.mlflow_server import MlflowServer
from tests.promote.commands import have_promoted

CONFIG = {"dataset": {"split_seed": 0, "path": "images"}}
Change = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="session")
def tiny_model() -> Any:
    """float32 (B, 4, 6, 1) to probabilities (B, 6, 3)."""
    import keras

    images = keras.Input((4, 6, 1))
    x = keras.layers.Reshape((6, 4))(images)
    return keras.Model(images, keras.layers.Dense(3, activation="softmax")(x))


@pytest.fixture
def train(store: Store, tiny_model: Any) -> Callable[[], tuple[str, str]]:
    """Log a model as a training does, and return its id and its run's."""

    def train() -> tuple[str, str]:
        image = {"height": 4, "width": 6, "keep_aspect_ratio": False, "background": 255}
        metadata = {"characters": "ab", "image": image, "decoding": {"kind": "greedy"}, "config": CONFIG}
        metadata["dataset"] = {"name": "folder", "fingerprint": "f00d"}
        with store.start_run("trained", {"dataset.fingerprint": "f00d"}) as run:
            run.log_text(yaml.safe_dump(CONFIG), "config.yaml")
            run.log_metrics({"test/sequence_accuracy": 0.25})
            uri = run.log_model(tiny_model, metadata, (4, 6, 1), np.arange(3, dtype=np.uint64))
        return uri.removeprefix("models:/"), run.run_id

    return train


@pytest.fixture
def forge(store: Store, tmp_path: Path) -> Callable[[str, Change], None]:
    """Change the description of a model in the store, as somebody does who may write artifacts."""

    def forge(model_id: str, change: Change) -> None:
        folder = model_folder(model_id, store.uri, tmp_path / "forged")
        description = yaml.safe_load((folder / "MLmodel").read_text())
        change(description)
        (folder / "MLmodel").write_text(yaml.safe_dump(description))
        store.client.log_model_artifacts(model_id, str(folder))
        shutil.rmtree(tmp_path / "forged")

    (tmp_path / "forged").mkdir()
    return forge


def test_tags_that_say_otherwise_than_the_run_are_told(
    store: Store, registry: Registry, train: Callable[[], tuple[str, str]], told: list[str]
) -> None:
    model_id, run_id = train()
    true = {"run": run_id, "test/sequence_accuracy": "0.25", "dataset.fingerprint": "f00d"}
    true |= {"config.digest": config_digest(CONFIG)}
    registry.register(model_id, run_id, true)
    assert load_version(store, registry, "1").model_id == model_id
    assert told == []
    lies = {"run": "\x1b[31m", "test/sequence_accuracy": "0.99", "dataset.fingerprint": "x" * 5_000}
    registry.set_tags("1", {**lies, "config.digest": "0", "test/character_error_rate": "none"})
    assert load_version(store, registry, "1").model_id == model_id
    said = "\n".join(told)
    assert all(line.startswith("version 1 was changed by hand: its tag ") for line in told)
    assert all(line.endswith("; the tag decides nothing") and line.isprintable() and len(line) < 300 for line in told)
    assert "its tag 'test/sequence_accuracy' is '0.99', which its run never measured" in said
    assert "its tag 'test/character_error_rate' is 'none', which its run never measured" in said
    assert f"its tag run is '\\x1b[31m', its model says '{run_id}'" in said
    assert "its tag config.digest is '0', its model says" in said
    assert len(told) == 5


def test_a_model_whose_files_are_another_ones_is_neither_challenger_nor_champion(
    store: Store,
    registry: Registry,
    train: Callable[[], tuple[str, str]],
    forge: Callable[[str, Change], None],
) -> None:
    (model_id, run_id), other = train(), train()
    have_promoted(registry, [(model_id, run_id)])
    assert load_challenger(store, run_id).model_id == model_id
    forge(model_id, lambda description: description.update(model_id=other[0]))
    words = f" is kept as {model_id} of run {run_id}, but its files say '{other[0]}' of run '{run_id}'"
    with pytest.raises(InputError, match=rf"^The model of run {run_id}{words}: they are another model's"):
        load_challenger(store, run_id)
    with pytest.raises(InputError, match=rf"^Version 1 of {registry.name}{words}: they are another model's"):
        load_version(store, registry, "1")
    # Only a model of the run itself counts, whatever lies among the run's files.
    store.client.log_artifacts(store.start_run("none", {}).run_id, __file__.rpartition("/")[0], "model")
    with pytest.raises(InputError, match=r"^run=\w+ has no model, so there is nothing to promote\.$"):
        load_challenger(store, store.start_run("none", {}).run_id)


@pytest.mark.parametrize(
    ("key", "change"),
    [
        ("split_seed", lambda metadata: metadata["config"]["dataset"].update(split_seed=1)),
        ("split_seed", lambda metadata: metadata["config"]["dataset"].pop("split_seed")),
        ("fingerprint", lambda metadata: metadata["dataset"].update(fingerprint="beef")),
    ],
)
def test_a_model_that_says_another_division_than_its_run_is_no_challenger(
    store: Store,
    train: Callable[[], tuple[str, str]],
    forge: Callable[[str, Change], None],
    key: str,
    change: Change,
) -> None:
    model_id, run_id = train()
    forge(model_id, lambda description: change(description["metadata"]))
    with pytest.raises(InputError, match=rf"^The model of run {run_id} says that its dataset\.{key} was '.*', but the"):
        load_challenger(store, run_id)


def test_a_rollback_goes_to_no_version_whose_model_is_gone(
    store: Store, registry: Registry, train: Callable[[], tuple[str, str]], mlflow_server: MlflowServer
) -> None:
    models = [train(), train()]
    have_promoted(registry, models)
    before = registry.aliases(), registry.model_tags()

    def check(version: str) -> None:
        load_version(store, registry, version)

    (kept,) = (mlflow_server.folder / "kept").rglob(models[0][0])
    shutil.rmtree(kept)
    with pytest.raises(InputError) as told:
        roll_back(registry, check=check)
    assert f"models:/{registry.name}/1" in str(told.value)
    assert "\n" not in str(told.value)
    assert (registry.aliases(), registry.model_tags()) == before

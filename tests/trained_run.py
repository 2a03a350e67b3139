"""One run that learns to read, shared by the tests of what a run leaves and of what is made of it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from mlflow.entities import Run

from captcha_exp.config import Config
from captcha_exp.experiment import Outcome, run_experiment
from captcha_exp.tracking import Store, open_store
from tests.told import hearing

# Two digits on small images: an epoch is a matter of a second.
SMALL = (
    "dataset.size=600", "dataset.min_length=2", "dataset.max_length=2", "dataset.image_height=32",
    "dataset.image_width=48", "dataset.validation_fraction=0.15", "augmentation=none", "transformer=none",
    "cnn.filters=[16,32,48]", "training.epochs=3",
)  # fmt: skip


def store_of(config: Config) -> Store:
    return open_store(config.tracking, config.root_path)


def artifacts_of(store: Store, run_id: str) -> list[str]:
    return sorted(artifact.path for artifact in store.client.list_artifacts(run_id))


def model_id_of(store: Store, run_id: str) -> str:
    return store.client.get_run(run_id).outputs.model_outputs[0].model_id


def history_of(store: Store, run_id: str, metric: str) -> list[tuple[int, float]]:
    return [(point.step, point.value) for point in store.client.get_metric_history(run_id, metric)]


@dataclass(frozen=True)
class Left:
    """What a run left at its end, before any test judged its model."""

    run: Run
    artifacts: list[str]
    checkpoints: list[Path]


@pytest.fixture(scope="session")
def trained_and_left(
    give_database: Callable[[Path], None], tmp_path_factory: pytest.TempPathFactory
) -> tuple[tuple[Config, Outcome, list[str]], Left]:
    """One run that learns to read."""
    from hydra import compose, initialize_config_dir

    from captcha_exp.config import conf_dir, load_config

    root = tmp_path_factory.mktemp("trained")
    give_database(root)
    overrides = [f"root={root}", *SMALL, "training.epochs=12", "training.batch_size=16"]
    overrides += ["transformer=lstm", "transformer.projection_dim=32"]
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        config = load_config(compose("config", overrides))
    lines: list[str] = []
    with hearing(lines.append):
        outcome = run_experiment(config)
    store = store_of(config)
    run, artifacts = store.client.get_run(outcome.run_id), artifacts_of(store, outcome.run_id)
    left = Left(run, artifacts, list((root / "outputs" / "checkpoints").iterdir()))
    return (config, outcome, lines), left


@pytest.fixture(scope="session")
def trained(trained_and_left: tuple[tuple[Config, Outcome, list[str]], Left]) -> tuple[Config, Outcome, list[str]]:
    return trained_and_left[0]


@pytest.fixture(scope="session")
def left(trained_and_left: tuple[tuple[Config, Outcome, list[str]], Left]) -> Left:
    return trained_and_left[1]

"""Opening the store: made once, by however many processes, and refused in one line."""

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from captcha_exp.config import Config, TrackingConfig
from captcha_exp.errors import InputError
from captcha_exp.tracking import load_recogniser, open_store
from tests.mlflow_server import MlflowServer
from tests.tracking_choice import tracked_in
from tests.warm_processes import WarmProcess

Compose = Callable[..., Config]


@pytest.fixture
def tracking(compose: Compose) -> TrackingConfig:
    return compose().tracking


def refusal(tracking: TrackingConfig, root: Path) -> tuple[str, float]:
    started = time.perf_counter()
    with pytest.raises(InputError) as refused:
        open_store(tracking, root)
    message = str(refused.value)
    assert "\n" not in message
    return message, time.perf_counter() - started


def test_the_local_store_lies_under_the_root(tracking: TrackingConfig, tmp_path: Path) -> None:
    store = open_store(tracking, tmp_path)
    assert (tmp_path / "mlruns" / "mlflow.db").is_file()
    experiment = store.client.get_experiment(store.experiment_id)
    assert experiment.name == "captcha_exp"
    assert experiment.artifact_location == (tmp_path / "mlruns" / "artifacts").as_uri()
    assert open_store(tracking, tmp_path).experiment_id == store.experiment_id


def test_a_root_with_spaces_works(tracking: TrackingConfig, tmp_path: Path) -> None:
    root = tmp_path / "my runs #1 ü"
    with open_store(tracking, root).start_run("x", {}) as run:
        run.log_text("kept", "note.txt")
    assert [path.read_text() for path in root.rglob("note.txt")] == ["kept"]


def test_processes_that_open_it_at_once_share_one_store_and_say_nothing(tmp_path: Path) -> None:
    program = """
import logging, sys, time
from pathlib import Path
from captcha_exp.config import TrackingConfig
from captcha_exp.tracking import open_store
logging.basicConfig(level=logging.INFO)  # as in Hydra's jobs
root = Path(sys.argv[1])
(root / sys.argv[2]).touch()
while len(list(root.glob("ready-*"))) < 4:
    time.sleep(0.01)
tracking = TrackingConfig(
    uri=None, experiment="race", run_name=None, log_model=True, sheet_images=0, system_metrics=False
)
store = open_store(tracking, root)
with store.start_run(sys.argv[2], {}) as run:
    for epoch in range(1, 21):
        run.log_epoch(epoch, {"val/sequence_accuracy": epoch / 20})
"""
    (tmp_path / "program.py").write_text(program)
    commands = [[str(tmp_path / "program.py"), str(tmp_path), f"ready-{i}"] for i in range(4)]
    workers = [WarmProcess(command, tmp_path, os.environ) for command in commands]
    said = [worker.communicate(timeout=120) for worker in workers]
    assert said == [("", "")] * 4
    store = open_store(tracked_in("race"), tmp_path)
    runs = store.search("")
    assert sorted(run.info.run_name for run in runs) == [f"ready-{i}" for i in range(4)]
    assert {run.data.metrics["val/sequence_accuracy"] for run in runs} == {1.0}
    assert len(store.client.search_experiments(filter_string="name = 'race'")) == 1


def test_a_server_that_is_not_there_is_told_at_once(tracking: TrackingConfig, tmp_path: Path) -> None:
    message, seconds = refusal(tracking.model_copy(update={"uri": "http://127.0.0.1:9"}), tmp_path)
    assert message.startswith("No MLflow server answers at tracking.uri=http://127.0.0.1:9 (")
    assert "`tracking.uri=null` for a local store" in message
    assert seconds < 6


def test_a_server_that_takes_calls_and_never_answers_is_told_within_seconds(
    tracking: TrackingConfig, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"http://127.0.0.1:{silent.getsockname()[1]}"
        message, seconds = refusal(tracking.model_copy(update={"uri": uri}), tmp_path)
    assert message.startswith(f"No MLflow server answers at tracking.uri={uri} (")
    assert seconds < 6


def test_a_database_that_is_not_there_is_told_without_its_password(tracking: TrackingConfig, tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    uri = "postgresql+psycopg://someone:secret@127.0.0.1:9/mlflow"
    message, seconds = refusal(tracking.model_copy(update={"uri": uri}), tmp_path)
    assert message.startswith(
        "The database at tracking.uri=postgresql+psycopg://someone:***@127.0.0.1:9/mlflow does not"
    )
    assert "secret" not in message
    assert seconds < 6


def test_a_missing_driver_is_told_with_what_installs_it(tracking: TrackingConfig, tmp_path: Path) -> None:
    message, _ = refusal(
        tracking.model_copy(update={"uri": "mysql+nodriver://someone:secret@127.0.0.1/mlflow"}), tmp_path
    )
    assert "secret" not in message


def test_a_folder_that_cannot_be_written_is_named(tracking: TrackingConfig, tmp_path: Path) -> None:
    (tmp_path / "mlruns").write_text("in the way")
    message, _ = refusal(tracking, tmp_path)
    assert message.startswith(f"Cannot write {tmp_path / 'mlruns'}")
    assert "choose another folder with `root=DIR`" in message


def test_a_database_file_of_something_else_is_named(tracking: TrackingConfig, tmp_path: Path) -> None:
    """MLflow would try ten times, for more than a minute."""
    database = tmp_path / "mlruns" / "mlflow.db"
    database.parent.mkdir()
    database.write_text("no database " * 100)
    message, seconds = refusal(tracking, tmp_path)
    assert message == (
        f"{database} is no usable SQLite database (file is not a database); move it away to begin a new one."
    )
    assert seconds < 2


def test_a_folder_as_uri_is_refused(tracking: TrackingConfig, tmp_path: Path) -> None:
    message, _ = refusal(tracking.model_copy(update={"uri": str(tmp_path / "runs")}), tmp_path)
    assert message.startswith(f"MLflow cannot use tracking.uri={tmp_path / 'runs'}: ")


def test_a_root_that_an_address_cannot_hold_is_refused(tracking: TrackingConfig, tmp_path: Path) -> None:
    message, _ = refusal(tracking, tmp_path / "100%")
    assert (
        message
        == f"root={tmp_path / '100%'} cannot hold % or ?, which have a meaning in MLflow's addresses; rename it."
    )


def test_a_deleted_experiment_is_not_written_to(tracking: TrackingConfig, tmp_path: Path) -> None:
    store = open_store(tracking, tmp_path)
    store.client.delete_experiment(store.experiment_id)
    message, _ = refusal(tracking, tmp_path)
    assert message.startswith(
        "tracking.experiment=captcha_exp was deleted in MLflow; choose another name or restore it"
    )


def test_a_moved_folder_is_noticed_before_artifacts_land_in_the_old_place(
    tracking: TrackingConfig, tmp_path: Path
) -> None:
    open_store(tracking, tmp_path / "old")
    (tmp_path / "old").rename(tmp_path / "new")
    message, _ = refusal(tracking, tmp_path / "new")
    assert f"keeps its artifacts in {(tmp_path / 'old').as_uri()}/mlruns/artifacts, not under this root" in message


def test_a_real_server_keeps_runs_artifacts_and_models(
    mlflow_server: MlflowServer,
    tracking: TrackingConfig,
    tmp_path: Path,
    small_model: object,
    metadata: dict[str, Any],
) -> None:
    server = mlflow_server.uri
    store = open_store(tracking.model_copy(update={"uri": server}), tmp_path)
    with store.start_run("remote", {"sweep": "s"}) as run:
        run.log_epoch(1, {"val/sequence_accuracy": 0.5})
        run.log_text("kept", "note.txt")
        uri = run.log_model(small_model, metadata, (4, 6, 1))  # type: ignore[arg-type]
    kept = store.client.get_run(run.run_id)
    assert kept.data.tags["outcome"] == "finished"
    assert [artifact.path for artifact in store.client.list_artifacts(run.run_id)] == ["note.txt"]
    assert load_recogniser(uri, server).characters == "ab"
    page = f"{server}/#/experiments/{store.experiment_id}/runs/{run.run_id}"
    assert store.ui_hint(run.run_id) == f"{page}?workflowType=machine_learning"
    assert not (tmp_path / "mlruns").exists()

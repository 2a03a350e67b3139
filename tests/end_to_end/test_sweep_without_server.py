"""Sweeps and runs of the real command whose MLflow server goes away: nothing fails of it, and nothing is lost."""

import signal
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
from mlflow.entities import Run

from captcha_exp.tracking.server_away import WAIT_VARIABLE
from tests.end_to_end.conftest import Folder
from tests.mlflow_server import MlflowServer, running_server

SWEEP = [*Folder.tiny, "+sweep=smoke", "sweep.workers=1", "training.epochs=3", "sweep.pruner.kind=none"]


@pytest.fixture
def server(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    with running_server(empty_database, tmp_path_factory.mktemp("away")) as server:
        yield server


@pytest.fixture
def impatient(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A folder whose commands wait two seconds for a server."""
    monkeypatch.setenv(WAIT_VARIABLE, "0.034")
    return folder


def runs(server: MlflowServer) -> list[Run]:
    client = mlflow.MlflowClient(server.uri)
    return list(client.search_runs([one.experiment_id for one in client.search_experiments()]))


def children(server: MlflowServer) -> list[Run]:
    return [run for run in runs(server) if "mlflow.parentRunId" in run.data.tags]


def is_in_training(server: MlflowServer) -> bool:
    return any("train/ctc_loss" in run.data.metrics for run in runs(server))


def kept(folder: Folder) -> str:
    """The records that wait for the server, as text."""
    return "".join(path.read_text("utf-8") for path in folder.path.glob("mlruns/outbox/*/*/*.json"))


def left_alone(folder: Folder, server: MlflowServer, command: list[str]) -> tuple[int | None, str, str]:
    """Start a command and kill its server in the middle of a training: exit code, output and errors."""
    child = folder.start_warm(*command)
    folder.wait_until(lambda: is_in_training(server), "an epoch")
    server.end(signal.SIGKILL)
    out, err = child.communicate(timeout=200)
    return child.returncode, out, err


def assert_whole(server: MlflowServer, trials: int) -> None:
    """One parent, a finished child for each trial, each with all epochs, its predictions and its model."""
    client = mlflow.MlflowClient(server.uri)
    assert {run.info.status for run in runs(server)} == {"FINISHED"}
    assert len(runs(server)) == 1 + trials
    for run in children(server):
        assert run.data.tags["outcome"] == "finished"
        assert [p.step for p in client.get_metric_history(run.info.run_id, "train/ctc_loss")] == [1, 2, 3]
        assert {"config.yaml", "learning_curves.png"} <= {f.path for f in client.list_artifacts(run.info.run_id)}
        (output,) = run.outputs.model_outputs
        assert client.get_logged_model(output.model_id).status == "READY"


def test_a_sweep_says_what_it_could_not_deliver_and_delivers_it_when_it_is_typed_again(
    impatient: Folder, server: MlflowServer
) -> None:
    """The trial failed, and the supervisor ended with a traceback."""
    command = [*SWEEP, "sweep.n_trials=1", f"tracking.uri={server.uri}"]
    code, out, err = left_alone(impatient, server, command)
    assert code == 4, out + err
    assert "sweep smoke ended: 1 finished." in out
    assert "records of 1 run are kept in" in err.splitlines()[-1]
    assert "Traceback" not in out + err

    server.start()
    again = impatient.run(*command)
    assert again.returncode == 0, again.stdout + again.stderr
    assert_whole(server, 1)


def test_a_trial_that_waited_in_vain_for_its_run_is_put_back(impatient: Folder, server: MlflowServer) -> None:
    command = [*SWEEP, "sweep.n_trials=2", f"tracking.uri={server.uri}"]
    code, out, err = left_alone(impatient, server, command)
    assert code == 1, out + err
    assert "sweep smoke stopped: the tracking server does not answer, and the trials have waited long enough." in err
    assert "Traceback" not in out + err

    server.start()
    again = impatient.run(*command)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "sweep smoke ended: 2 finished, 1 lost." in again.stdout
    assert_whole(server, 2)


def test_a_run_waits_at_its_end_until_its_server_has_all_of_it(folder: Folder, server: MlflowServer) -> None:
    child = folder.start_warm(*folder.tiny, "training.epochs=20", f"tracking.uri={server.uri}")
    folder.wait_until(lambda: is_in_training(server), "an epoch")
    server.end(signal.SIGKILL)
    folder.wait_until(lambda: '"call": "end"' in kept(folder), "the end of the training")
    server.start()
    out, err = child.communicate(timeout=200)
    assert child.returncode == 0, out + err
    assert "epoch 20/20" in out + err
    (run,) = runs(server)
    assert (run.info.status, run.data.tags["outcome"]) == ("FINISHED", "finished")

"""Runs whose MLflow server, a real one, goes away and comes back."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from captcha_exp.errors import InputError, StoreAwayError
from captcha_exp.tracking import LoggedSplit, Store, deliver_all, load_recogniser, open_keeping_store
from captcha_exp.tracking.keeping_client import KeepingClient
from captcha_exp.tracking.outbox import Outbox, undelivered
from captcha_exp.tracking.sending import batch, ending, send
from captcha_exp.tracking.server_away import WAIT_VARIABLE, be_patient
from tests.mlflow_server import MlflowServer, running_server
from tests.tracking_choice import tracked_in

SPLITS = {"train": LoggedSplit(8, "aa"), "validation": LoggedSplit(2, "bb")}


@pytest.fixture(scope="module")
def server(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    with running_server(empty_database, tmp_path_factory.mktemp("away")) as server:
        yield server


@pytest.fixture(autouse=True)
def process_as_before() -> Iterator[None]:
    """A training sets MLflow's patience for its whole process."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
    be_patient(0)


@pytest.fixture
def store(server: MlflowServer, tmp_path: Path, request: pytest.FixtureRequest) -> Store:
    return opened(server, tmp_path, request.node.name, wait=False)


def opened(server: MlflowServer, root: Path, experiment: str, *, wait: bool) -> Store:
    config = tracked_in(experiment, server.uri)
    return open_keeping_store(config, root, wait=wait)


def kept_in(store: Store) -> Path:
    assert isinstance(store.client, KeepingClient)
    return store.client.folder


def eventually_delivered(store: Store) -> None:
    deadline = time.monotonic() + 60
    while undelivered(kept_in(store)):
        assert time.monotonic() < deadline, "it was not delivered"
        time.sleep(0.1)


def history(store: Store, run_id: str, metric: str) -> list[tuple[int, float]]:
    return [(point.step, point.value) for point in store.client.get_metric_history(run_id, metric)]


def test_what_a_run_logs_while_its_server_is_away_is_there_when_it_is_back(
    store: Store, server: MlflowServer, small_model: Any, metadata: dict[str, Any], tmp_path: Path
) -> None:
    """The run failed, and each of its epochs had waited for minutes."""
    with store.start_run("x", {}) as run:
        run.log_epoch(1, {"val/sequence_accuracy": 0.25})
        server.end(signal.SIGKILL)
        began = time.monotonic()
        run.log_params({"training.epochs": 3})
        run.log_dataset("folder", "/somewhere/images", "f00d", SPLITS)
        for epoch in (2, 3):
            run.log_epoch(epoch, {"val/sequence_accuracy": epoch / 4})
        run.log_text("a,b", "tables/validation.csv")
        run.log_model(small_model, metadata, (4, 6, 1))
        run.log_metrics({"best/val/sequence_accuracy": 0.75}, split="validation")
        run.set_outcome("pruned", "pruned after epoch 3")
    assert time.monotonic() - began < 20
    assert len(undelivered(kept_in(store))) == 1
    server.start()
    eventually_delivered(store)

    kept = store.client.get_run(run.run_id)
    assert kept.info.status == "KILLED", "as any run that was pruned"
    assert kept.data.params["training.epochs"] == "3"
    assert (kept.data.tags["outcome"], kept.data.tags["dataset.fingerprint"]) == ("pruned", "f00d")
    assert {one.dataset.name for one in kept.inputs.dataset_inputs} == {"folder/train", "folder/validation"}
    assert history(store, run.run_id, "val/sequence_accuracy") == [(1, 0.25), (2, 0.5), (3, 0.75)]
    path = store.client.download_artifacts(run.run_id, "tables/validation.csv", str(tmp_path))
    assert Path(path).read_text() == "a,b"
    (model,) = store.client.search_logged_models([store.experiment_id])
    assert (model.status, model.source_run_id) == ("READY", run.run_id)
    assert [(metric.key, metric.value) for metric in model.metrics] == [("best/val/sequence_accuracy", 0.75)]
    loaded = load_recogniser(f"models:/{model.model_id}", server.uri)
    assert (loaded.characters, loaded.run_id, loaded.model_id) == ("ab", run.run_id, model.model_id)
    assert [output.model_id for output in kept.outputs.model_outputs] == [model.model_id]

    server.end(signal.SIGKILL)
    with pytest.raises(InputError, match="is not in the store"):
        load_recogniser(f"models:/{model.model_id}", server.uri)
    be_patient(60)  # as in a trial that begins with this model
    back = threading.Timer(1, server.start)
    back.start()
    assert load_recogniser(f"models:/{model.model_id}", server.uri).characters == "ab"
    back.join()


def test_another_process_delivers_what_a_killed_one_left_and_nothing_twice(store: Store, server: MlflowServer) -> None:
    run = store.start_run("x", {})
    server.end(signal.SIGKILL)
    outbox = Outbox(kept_in(store) / run.run_id)  # no thread here delivers it: as if the process were dead
    for step in (1, 2):
        run_batch = batch([_metric(step)], [], [])
        outbox.append(run_batch)
    server.start()
    client: Any = store.client
    first = outbox.first()
    assert first is not None
    send(client._client, run.run_id, first.read(), first.files, "")  # it died before it could note that
    again = opened(server, kept_in(store).parents[2], store.experiment, wait=False)
    eventually_delivered(again)
    assert history(again, run.run_id, "m") == [(1, 0.5), (2, 0.5)]
    assert not outbox.folder.exists()


def _metric(step: int) -> Any:
    from mlflow.entities import Metric

    return Metric("m", 0.5, 1_700_000_000_000 + step, step)


def test_a_run_goes_on_only_when_the_server_has_what_was_kept_of_it(store: Store, server: MlflowServer) -> None:
    """Its end, delivered late, would end the run that goes on; and its epochs would be logged again."""
    run = store.start_run("x", {})
    outbox = Outbox(kept_in(store) / run.run_id)
    outbox.append(batch([_metric(4)], [], []))
    outbox.append(ending("FINISHED", 1_700_000_000_000))
    again = store.start_run("", {}, run_id=run.run_id)
    assert again.last_epoch("m") == 4
    assert store.client.get_run(run.run_id).info.status == "RUNNING"


def test_a_trial_waits_for_its_server(
    store: Store, server: MlflowServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.end(signal.SIGKILL)
    with pytest.raises(InputError, match="No MLflow server answers"):
        opened(server, tmp_path, "new", wait=False)
    monkeypatch.setenv(WAIT_VARIABLE, "0.02")
    with pytest.raises(StoreAwayError, match="does not answer, and was waited for 1 s"):
        opened(server, tmp_path, "new", wait=True)
    monkeypatch.setenv(WAIT_VARIABLE, "1")
    back = threading.Timer(1, server.start)
    back.start()
    assert opened(server, tmp_path, "new", wait=True).start_run("x", {}).run_id
    back.join()


def test_what_is_left_at_the_end_is_named(store: Store, server: MlflowServer, caplog: pytest.LogCaptureFixture) -> None:
    with store.start_run("x", {}):
        server.end(signal.SIGKILL)
    told = deliver_all(store, wait=False)
    assert told is not None and "2 records of 1 run are kept in" in told and str(kept_in(store)) in told
    server.start()
    store.client.longest_s = 60  # type: ignore[attr-defined]  # the store's courier may be at work at this moment
    assert deliver_all(store) is None
    assert [run.info.status for run in store.search("")] == ["FINISHED"]


def test_what_the_server_refuses_does_not_stop_what_follows(
    store: Store, server: MlflowServer, caplog: pytest.LogCaptureFixture
) -> None:
    run = store.start_run("x", {})
    run.log_params({"a": 1})
    outbox = Outbox(kept_in(store) / run.run_id)
    from mlflow.entities import Param

    outbox.append(batch([], [Param("a", "2")], []))  # MLflow cannot change a param
    outbox.append(batch([_metric(1)], [], []))
    assert deliver_all(store) is None
    assert history(store, run.run_id, "m") == [(1, 0.5)]
    assert len(outbox.refused()) == 1
    assert f"the tracking server refuses what run {run.run_id} logged" in caplog.text


def test_a_wait_that_is_no_number_is_refused(
    server: MlflowServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(WAIT_VARIABLE, "long")
    with pytest.raises(InputError, match=f"{WAIT_VARIABLE}='long' in the environment must be a number of minutes"):
        opened(server, tmp_path, "x", wait=True)

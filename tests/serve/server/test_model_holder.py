"""A model that takes another's place in the registry while clients read."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
import yaml
from mlflow.entities import LoggedModelStatus

from captcha_exp.errors import InputError
from captcha_exp.reader.predictor import ONNX_FILE
from captcha_exp.serve.model_holder import ModelHolder
from captcha_exp.tracking import Registry, Store, open_store
from tests.serve.server.conftest import Served, bars, running, write_model
from tests.tracking_choice import tracked_in


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("root")


@pytest.fixture(scope="module")
def store(root: Path) -> Store:
    return open_store(tracked_in("bars"), root)


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A registered model of the test's own."""
    return str(request.node.name)


@pytest.fixture
def register(store: Store, name: str, tmp_path: Path) -> Callable[..., None]:
    """Register a model that reads these characters, or a broken one, and make it champion."""

    def put(characters: str | None) -> None:
        registry = Registry(store, name)
        registry.ensure()
        with store.start_run("bars", {}) as run:
            store.client.log_metric(run.run_id, "test/sequence_accuracy", 0.75)
            logged = store.client.create_logged_model(store.experiment_id, "model", source_run_id=run.run_id)
            folder = tmp_path / logged.model_id
            (folder / ONNX_FILE).parent.mkdir(parents=True)
            described = {"run_id": run.run_id, "model_id": logged.model_id, "flavors": {}}
            (folder / "MLmodel").write_text(yaml.safe_dump(described))
            if characters is None:
                (folder / ONNX_FILE).write_bytes(b"no network")
            else:
                write_model(folder / ONNX_FILE, characters, logged.model_id)
            store.client.log_model_artifacts(logged.model_id, str(folder))
            store.client.finalize_logged_model(logged.model_id, LoggedModelStatus.READY)
            version = registry.register(logged.model_id, run.run_id, {})
        registry.set_alias("champion", version)

    return put


@pytest.fixture
def served(register: Callable[..., None], root: Path, name: str) -> Iterator[Served]:
    """A server of the champion, which is version 1."""
    register("abcd")
    overrides = ("limits.requests_per_second=null", "reload_s=0.2")
    with running(root, f"models:/{name}@champion", *overrides) as started:
        yield started


def test_a_new_champion_is_picked_up_under_load_and_no_request_is_lost(
    served: Served, register: Callable[..., None], name: str
) -> None:
    seen: list[tuple[int, str, str]] = []
    stop = threading.Event()

    def client() -> None:
        with requests.Session() as session:
            while not stop.is_set():
                answer = session.post(f"{served.url}/v1/read", data=bars("abcd"), timeout=60)
                seen.append((answer.status_code, answer.json().get("model"), answer.json().get("text")))

    clients = [threading.Thread(target=client) for _ in range(4)]
    for one in clients:
        one.start()
    try:
        register("dcba")
        _wait_until(lambda: served.get("/healthz").json()["model"] == f"{name}/2")
        reading = len(seen)
        _wait_until(lambda: len(seen) > reading + 20)
    finally:
        stop.set()
        for one in clients:
            one.join()
    # Each answer is of one model as a whole: the same bars mean other characters to the second one.
    assert set(seen) == {(200, f"{name}/1", "abcd"), (200, f"{name}/2", "dcba")}
    assert served.read(bars("abcd")).json() == {"text": "dcba", "confidence": pytest.approx(1), "model": f"{name}/2"}


def test_a_new_champion_that_cannot_be_loaded_leaves_the_old_one_in_use_and_says_so(
    served: Served, register: Callable[..., None], name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "captcha_exp"):
        register(None)
        _wait_until(lambda: served.get("/healthz").json()["reload_error"])
        time.sleep(0.6)
    health = served.get("/healthz").json()
    assert (health["status"], health["model"], health["figures"]) == ("ok", f"{name}/1", {"sequence_accuracy": 0.75})
    assert "is no ONNX file that can be opened" in health["reload_error"]
    assert "captcha_exp_model_reload_failed 1.0" in served.get("/metrics").text
    assert served.read(bars("abba")).json()["text"] == "abba"
    told = [one.getMessage() for one in caplog.records if one.levelno == logging.ERROR]
    assert len(told) == 1, "it is said once, not at every look"
    assert told[0].startswith(f"model {name}/1 stays in use; models:/{name}/2 cannot be used: ")
    register("abcd")
    _wait_until(lambda: served.get("/healthz").json()["model"] == f"{name}/3")
    assert served.get("/healthz").json()["reload_error"] is None


def test_a_store_that_is_away_for_a_while_is_told_and_asked_again(
    register: Callable[..., None], name: str, root: Path, store: Store
) -> None:
    register("abcd")
    models = ModelHolder(f"models:/{name}@champion", store.uri, None, reload_s=60)
    database = root / "mlruns" / "mlflow.db"
    database.rename(root / "away")
    models.refresh()
    assert f"there is no store {database}" in str(models.problem)
    assert models.current.name == f"{name}/1"
    (root / "away").rename(database)
    models.refresh()
    assert models.problem is None


def test_an_alias_that_is_not_there_is_named(register: Callable[..., None], name: str, store: Store) -> None:
    register("abcd")
    with pytest.raises(InputError, match=f"model=models:/{name}@nobody is not in the store"):
        ModelHolder(f"models:/{name}@nobody", store.uri, None, reload_s=60)


def _wait_until(condition: Callable[[], object]) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)

"""A store with a registered model whose versions are small, and processes that are stopped in the middle."""

import runpy
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from captcha_exp.tracking import Registry, Store, open_store
from tests.tracking_choice import tracked_in
from tests.warm_processes import processes


@pytest.fixture(scope="session")
def store_root(give_database: Callable[[Path], None], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root folder of a store that most tests share."""
    root = tmp_path_factory.mktemp("store")
    give_database(root)
    return root


@pytest.fixture
def store(store_root: Path, request: pytest.FixtureRequest) -> Store:
    """An experiment of the test's own."""
    name = request.node.name.replace("/", "-")
    return open_store(tracked_in(name), store_root)


@pytest.fixture
def server_like(store: Store) -> Store:
    """The same store, as a server is one: nothing of it can be locked from here."""
    return replace(store, lock_file=None)


@pytest.fixture
def registry(store: Store) -> Registry:
    """A registered model of the test's own."""
    registry = Registry(store, store.experiment)
    registry.ensure()
    return registry


@pytest.fixture
def add_model(store: Store) -> Callable[[], tuple[str, str]]:
    """Log a model, which nobody reads here, and return its id and its run's."""

    def add() -> tuple[str, str]:
        run_id = store.start_run("trained", {}).run_id
        logged = store.client.create_logged_model(store.experiment_id, "model", source_run_id=run_id)
        return str(logged.model_id), run_id

    return add


@pytest.fixture
def killed_at(store: Store, registry: Registry, store_root: Path) -> Callable[..., None]:
    """Run `interrupted_process.py` in a process of its own, and kill it when it reaches a step."""
    context = processes()

    def run(step: str, **given: Any) -> None:
        reached, sender = context.Pipe(duplex=False)
        uri = None if store.lock_file else store.uri
        known = {"uri": uri, "root": str(store_root), "experiment": store.experiment, "step": step, **given}
        script = str(Path(__file__).with_name("interrupted_process.py"))
        process = context.Process(target=runpy.run_path, args=(script, {**known, "reached": sender}))
        process.start()
        sender.close()
        assert reached.poll(60), f"step {step!r} was not reached"
        assert reached.recv() == step
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL

    return run

"""The fixtures of the folder above, with a real server as the store."""

import re
from pathlib import Path
from typing import Any

import pytest

from captcha_exp.tracking import Registry, Store, open_store
from tests.mlflow_server import MlflowServer
from tests.promote.commands import go_back, promote_model, state
from tests.tracking_choice import tracked_in


@pytest.fixture
def store(mlflow_server: MlflowServer, store_root: Path, request: pytest.FixtureRequest) -> Store:
    """An experiment of the test's own."""
    return open_at(mlflow_server.uri, re.sub(r"[^\w-]", "-", request.node.name), store_root)


def open_at(uri: str, name: str, root: Path) -> Store:
    """The experiment `name` of a server."""
    return open_store(tracked_in(name, uri), root)


@pytest.fixture(scope="session")
def uninterrupted(mlflow_server: MlflowServer, store_root: Path) -> dict[str, Any]:
    """What a promotion of a second model, a third, and a rollback leave, if nothing happens meanwhile."""
    store = open_at(mlflow_server.uri, "uninterrupted", store_root)
    registry, claims, states = Registry(store, "uninterrupted"), store_root / "claims", {}
    for name in ("first", "promotion", "third"):
        run_id = store.start_run("trained", {}).run_id
        logged = store.client.create_logged_model(store.experiment_id, "model", source_run_id=run_id)
        promote_model(store, registry, claims, (str(logged.model_id), run_id))
        states[name] = state(registry)
    go_back(store, registry, claims)
    return {**states, "rollback": state(registry)}

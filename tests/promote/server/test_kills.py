"""Whatever step a promotion at a server ends at, the same command leaves what an uninterrupted one leaves."""

import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from captcha_exp.errors import InputError
from captcha_exp.tracking import Registry, Store
from tests.mlflow_server import MlflowServer
from tests.promote.commands import go_back, have_promoted, promote_model, state
from tests.promote.step_names import promotion_step_names, rollback_step_names

AddModel = Callable[[], tuple[str, str]]


@pytest.fixture
def claims(store_root: Path) -> Path:
    """Where `interrupted_process.py` keeps them as well."""
    return store_root / "claims"


STEPS = {"promotion": promotion_step_names(), "rollback": rollback_step_names()}


@pytest.mark.parametrize(("command", "step"), [(command, step) for command, steps in STEPS.items() for step in steps])
def test_a_killed_command_is_finished_by_the_same_command(
    store: Store,
    registry: Registry,
    claims: Path,
    add_model: AddModel,
    killed_at: Callable[..., None],
    uninterrupted: dict[str, Any],
    command: str,
    step: str,
) -> None:
    models = [add_model(), add_model(), add_model()]
    if command == "promotion":
        model_id, run_id = models[1]
        before, given = models[:1], {"model_id": model_id, "run_id": run_id, "promoted": True}
        again = partial(promote_model, store, registry, claims, models[1])
    else:
        before, given = models, {"rollback": True}
        again = partial(go_back, store, registry, claims)
    have_promoted(registry, before)
    assert state(registry) == uninterrupted["third" if command == "rollback" else "first"]
    killed_at(step, **given)
    moved = STEPS[command].index(step) > STEPS[command].index("champion")
    assert registry.aliases()["champion"] == ("2" if moved else str(len(before)))
    again()
    assert state(registry) == uninterrupted[command]


@pytest.mark.parametrize("step", ["register", "champion"])
def test_a_server_that_is_killed_and_comes_back_loses_nothing(
    store: Store,
    registry: Registry,
    claims: Path,
    add_model: AddModel,
    mlflow_server: MlflowServer,
    uninterrupted: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    have_promoted(registry, [add_model()])
    second = add_model()

    def kill_server(name: str) -> None:
        if name == step:
            mlflow_server.end(signal.SIGKILL)

    try:
        with pytest.raises(InputError, match=r"^The store http://127\.0\.0\.1:\d+ failed: API request to http") as told:
            promote_model(store, registry, claims, second, kill_server)
    finally:
        mlflow_server.start()
    assert str(told.value).endswith("Once it answers, the same command goes on where this one stopped.")
    assert "\n" not in str(told.value)
    promote_model(store, registry, claims, second)
    assert state(registry) == uninterrupted["promotion"]

"""MLflow servers that ask for a user and a password."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from captcha_exp.config import Config, TrackingConfig
from captcha_exp.errors import InputError
from captcha_exp.tracking import open_store
from tests.mlflow_server import MlflowServer
from tests.secrecy import Secret
from tests.tracking.guarded_server import guarded

EVE = Secret("eve")


@pytest.fixture
def server(mlflow_server: MlflowServer) -> Iterator[str]:
    with guarded(mlflow_server.uri, EVE.user, EVE.password) as address:
        yield address


@pytest.fixture
def tracking(compose: Callable[..., Config], monkeypatch: pytest.MonkeyPatch) -> TrackingConfig:
    for name in ("USERNAME", "PASSWORD", "TOKEN"):
        monkeypatch.setenv(f"MLFLOW_TRACKING_{name}", "")  # restored afterwards
        monkeypatch.delenv(f"MLFLOW_TRACKING_{name}")
    return compose().tracking


def test_an_address_may_hold_user_and_password(server: str, tracking: TrackingConfig, tmp_path: Path) -> None:
    store = open_store(tracking.model_copy(update={"uri": f"http://{EVE.userinfo}@{server}"}), tmp_path)
    with store.start_run("x", {}) as run:
        run.log_text("kept", "note.txt")
    assert [artifact.path for artifact in store.client.list_artifacts(run.run_id)] == ["note.txt"]
    assert store.uri == f"http://{server}"
    assert EVE.middle not in store.ui_hint(run.run_id) + repr(store)
    assert os.environ["MLFLOW_TRACKING_USERNAME"] == EVE.user
    assert os.environ["MLFLOW_TRACKING_PASSWORD"] == EVE.password


def test_without_or_with_a_wrong_password_it_is_told_what_to_set(
    server: str, tracking: TrackingConfig, tmp_path: Path
) -> None:
    for user in ("", "eve:wr0ngWord@"):
        started = time.perf_counter()
        with pytest.raises(InputError) as refused:
            open_store(tracking.model_copy(update={"uri": f"http://{user}{server}"}), tmp_path)
        assert str(refused.value) == (
            f"The MLflow server at tracking.uri=http://{server} does not let this user in (HTTP 401); set "
            "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, in the environment."
        )
        assert time.perf_counter() - started < 5


def test_a_password_that_is_not_percent_encoded_is_told_without_it(tracking: TrackingConfig, tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        open_store(tracking.model_copy(update={"uri": "http://eve:one/twoWords@127.0.0.1:5000"}), tmp_path)
    assert str(refused.value) == (
        "tracking.uri=http://eve:***@127.0.0.1:5000 has no number as its port; a / ? # or @ in a user or password is "
        "written %2F %3F %23 %40."
    )


def test_a_local_store_needs_none(tracking: TrackingConfig, tmp_path: Path) -> None:
    open_store(tracking, tmp_path)
    assert "MLFLOW_TRACKING_USERNAME" not in os.environ

"""A whole sweep with a database and an MLflow server that ask for passwords: nothing that it leaves holds them."""

import os
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.mlflow_server import MlflowServer
from tests.secrecy import ProcessList, Secret, dump, holds, places_with
from tests.sweep.postgres import running_server
from tests.tracking.guarded_server import guarded

pytest.importorskip("psycopg", reason="pip install 'captcha-exp[postgres]'")


def test_a_sweep_whose_passwords_were_typed_leaves_no_trace_of_them(
    folder, tmp_path: Path, mlflow_server: MlflowServer
) -> None:
    database, tracking = Secret("sweep"), Secret("eve")
    secrets = [database, tracking]
    with (
        running_server(database.password) as postgres,
        guarded(mlflow_server.uri, tracking.user, tracking.password) as server,
    ):
        storage = f"postgresql+psycopg://{database.userinfo}@127.0.0.1:{postgres.port}/postgres"
        uri = f"tracking.uri=http://{tracking.userinfo}@{server}"
        few = ["sweep.n_trials=1", "sweep.workers=1", "training.epochs=1"]
        with ProcessList() as processes:
            child = folder.start("+sweep=smoke", *folder.tiny, *few, f"sweep.storage={storage}", uri)
            out, err = child.communicate(timeout=300)
        assert child.returncode == 0, err

        assert "sweep smoke ended: 1 finished" in out
        safe = [pids for line, pids in processes.seen.items() if "storage=${oc.env:CAPTCHA_EXP_SWEEP_STORAGE}" in line]
        assert child.pid in set.union(*safe), "the command itself must have begun anew"
        assert processes.showing(secrets, but=child.pid) == []
        assert places_with(secrets, tmp_path) == []
        assert places_with(secrets, mlflow_server.folder) == []
        assert not holds(secrets, out + err)
        kept = dump(sa.make_url(storage).render_as_string(hide_password=False))
        assert "transformer.num_heads" in kept
        assert not holds(secrets, kept)
    assert "put the value into the environment variable that 'sweep.storage=${oc.env:CAPTCHA_EXP_SWEEP_STORAGE}'" in err
    best = (tmp_path / "sweeps/smoke/best.yaml").read_text()
    assert "uri: ${oc.env:CAPTCHA_EXP_TRACKING_URI}" in best
    configs = [path.read_text() for path in (mlflow_server.folder / "kept").rglob("config.yaml")]
    assert any(f"uri: http://eve:***@{server}" in config for config in configs)
    assert "CAPTCHA_EXP_SWEEP_STORAGE" not in os.environ

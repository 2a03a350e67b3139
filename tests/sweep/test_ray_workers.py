"""Workers on a real Ray cluster: nodes of this machine, each with its own raylet."""

import io
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from captcha_exp.config import Config, RayConfig
from captcha_exp.errors import InputError
from captcha_exp.sweep.ray_workers import carried_environment, check_room, check_shared, packed_code
from tests.sweep.conftest import HERE, REPOSITORY, Sweep, eventually, is_alive

PATIENCE_S = 150  # a node, and an actor on it, take seconds to start on an idle machine


@pytest.fixture(autouse=True)
def cold(sweep: Sweep) -> None:
    """Ray starts the workers, from the command line of this process."""
    sweep.cold = True


@pytest.fixture
def cluster(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A cluster whose head runs no workers. Its nodes get the variables of `application.py`."""
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(REPOSITORY), str(HERE / "plugins")]))
    monkeypatch.setenv("BEGUN", str(sweep.begun))
    monkeypatch.setenv("EPOCH_S", "1.5")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    try:
        yield cluster
    finally:
        cluster.shutdown()


def wait_for_running(sweep: Sweep, count: int) -> set[int]:
    """Wait until trials run in so many processes at once."""

    def look() -> set[int] | None:
        pids = {int(file.name.rpartition("-")[2]) for file in sweep.begun.iterdir()}
        alive = {pid for pid in pids if is_alive(pid)}
        return alive if len(alive) >= count else None

    found: set[int] = eventually(look, PATIENCE_S)
    return found


def trial_in(sweep: Sweep, pid: int) -> int | None:
    """The number of the trial that a process runs at this moment."""
    running = [trial for trial in sweep.tally().running if "process" in trial.user_attrs]
    return next((trial.number for trial in running if trial.user_attrs["process"]["pid"] == pid), None)


def test_nodes_come_and_go_in_the_middle_of_a_sweep(sweep: Sweep, cluster: Any) -> None:
    leaving = cluster.add_node(num_cpus=1)
    process = sweep.start(
        "sweep.engine=ray", f"sweep.ray.address={cluster.address}", "sweep.workers=2", "sweep.n_trials=6"
    )
    (first,) = wait_for_running(sweep, 1)
    cluster.add_node(num_cpus=1)  # until now, the second worker has waited for a place
    wait_for_running(sweep, 2)
    before = trial_in(sweep, first)
    eventually(lambda: trial_in(sweep, first) not in {before, None} or None, PATIENCE_S)  # one that has just begun
    cluster.remove_node(leaving, allow_graceful=False)
    eventually(lambda: not is_alive(first) or None, PATIENCE_S)
    cluster.add_node(num_cpus=1)

    assert process.wait(200) == 0, sweep.printed()
    assert f"workers run on the Ray cluster {cluster.address}, 2 nodes" in sweep.printed()
    assert "ended (its node has ended); another takes its place" in sweep.printed()
    outcomes = sweep.outcomes()
    assert outcomes.pop("lost") == 1  # tried again, under a number of its own
    assert outcomes == {"finished": 6}
    assert "training.threads=1" in (sweep.folder / "sweeps/t/worker-0.log").read_text()


def test_ctrl_c_stops_the_workers_and_another_engine_goes_on(sweep: Sweep) -> None:
    here = ["sweep.workers=1", "sweep.n_trials=2"]
    slow = 'sweep.ray.runtime_env={env_vars: {EPOCH_S: "1", BEGUN: "' + str(sweep.begun) + '"}}'
    process = sweep.start(*here, "sweep.engine=ray", slow)
    (worker,) = wait_for_running(sweep, 1)
    process.send_signal(signal.SIGINT)
    assert process.wait(240) == 130, sweep.printed()
    eventually(lambda: not is_alive(worker) or None)
    assert "Traceback" not in sweep.printed()

    code, printed = sweep.run(*here)  # the engine may be another one
    assert code == 0, printed
    assert sweep.outcomes()["finished"] == 2


def test_a_cluster_that_does_not_answer_is_refused_in_a_line(sweep: Sweep) -> None:
    code, printed = sweep.run("sweep.engine=ray", "sweep.ray.address=127.0.0.1:1")
    assert code == 2
    assert "error: No Ray cluster answers at sweep.ray.address=127.0.0.1:1: " in printed and "Traceback" not in printed


def test_a_worker_that_fits_on_no_node_is_refused() -> None:
    config = RayConfig(address=None, num_cpus=2, num_gpus=1, runtime_env=None)
    check_room(config, [{"CPU": 4.0}, {"CPU": 2.0, "GPU": 1.0}])
    with pytest.raises(InputError, match=r"num_cpus=2 sweep.ray.num_gpus=1; its largest has 8 CPUs and 1 GPUs"):
        check_room(config, [{"CPU": 8.0}, {"CPU": 1.0, "GPU": 1.0}])


def test_machines_that_share_no_file_need_servers(compose: Callable[..., Config]) -> None:
    servers = {"tracking.uri": "http://host:5000", "sweep.storage": "postgresql://host/db"}
    check_shared(compose("+sweep=smoke"), ["a"])
    check_shared(compose("+sweep=smoke", *(f"{key}={value}" for key, value in servers.items())), ["a", "b"])
    for key in servers:
        others = [f"{other}={value}" for other, value in servers.items() if other != key]
        with pytest.raises(InputError, match=rf"2 machines \(a, b\), and they cannot share the file of {key};"):
            check_shared(compose("+sweep=smoke", *others), ["a", "b"])


def test_the_code_that_travels_is_whole(tmp_path: Path) -> None:
    zipfile.ZipFile(io.BytesIO(packed_code())).extractall(tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    where = "import captcha_exp.config as c; print(c.__file__, c.conf_dir())"
    told = subprocess.run([sys.executable, "-c", where], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert told.stdout.split() == [str(tmp_path / "captcha_exp/config/__init__.py"), str(tmp_path / "captcha_exp/conf")]
    printed = subprocess.run(
        [sys.executable, "-m", "captcha_exp", "+sweep=attention", "--cfg", "job", "-p", "sweep.engine"],
        cwd=tmp_path, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert printed.stdout.strip() == "local", printed.stderr


def test_a_worker_elsewhere_gets_the_variables_that_it_needs_and_no_others() -> None:
    environment = {"PATH": "/here", "MLFLOW_TRACKING_TOKEN": "t", "MY_STORAGE": "s", "HOME": "/me", "MORE": "m"}
    carried = carried_environment(environment, ["-m", "captcha_exp", "sweep.storage=${oc.env:MY_STORAGE}"])
    assert carried == {"MLFLOW_TRACKING_TOKEN": "t", "MY_STORAGE": "s"}

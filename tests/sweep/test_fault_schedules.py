"""Sweeps of several hosts on one database server, whose parts fail in random order, or at the worst moment."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import optuna
import pytest
from optuna.samplers import RandomSampler

from benchmarks.fault_schedules import is_alive
from benchmarks.quick_sweep import QuickJob, fork, quick_plan, supervise
from captcha_exp.sweep.study import DEFINITION, open_study
from captcha_exp.sweep.tally import Tally, TrialOutcome
from tests.sweep.conftest import REPOSITORY
from tests.sweep.postgres import Server, running_server

pytest.importorskip("psycopg", reason="pip install 'captcha-exp[postgres]'")


@pytest.fixture
def server() -> Iterator[Server]:
    with running_server() as started:
        yield started


def test_nothing_is_lost_whatever_fails_when(server: Server) -> None:
    """`python -m benchmarks.fault_schedules` has more seeds. These have all kinds of faults."""
    own = [sys.executable, "-m", "benchmarks.fault_schedules", "--seeds", "20,34,52", "--lanes", "3"]
    done = subprocess.run(own, cwd=REPOSITORY, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("moment", ["begins", "ends"])
def test_a_supervisor_waits_for_a_database_that_restarts_when_it(moment: str, server: Server, tmp_path: Path) -> None:
    """It ended with a traceback, unless its workers were running."""
    supervisor = fork(lambda: _supervise(tmp_path, server.url, server.pid, moment), tmp_path / "printed")
    server.wait()
    server.start()
    code = os.waitstatus_to_exitcode(os.waitpid(supervisor, 0)[1])
    printed = (tmp_path / "printed").read_text()
    assert code == 0, printed
    assert "sweep quick ended: 2 finished." in printed
    study = optuna.load_study(study_name="quick", storage=server.url)
    assert len(Tally(study.get_trials()).ended) == len(study.trials) == 2


def test_a_study_is_made_to_its_end_if_its_maker_dies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Schedule 38: it was refused as a study of another version, until somebody deleted it."""
    plan, written = quick_plan(tmp_path), optuna.Study.set_user_attr

    def die(study: optuna.Study, key: str, value: Any) -> None:
        if key == DEFINITION:
            raise KeyboardInterrupt
        written(study, key, value)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(optuna.Study, "set_user_attr", die)
        open_study(plan.config, RandomSampler(), {"key": "value"}, plan.first)
    opened = open_study(plan.config, RandomSampler(), {"key": "value"}, plan.first)
    assert opened.study.user_attrs[DEFINITION] == {"key": "value"}
    assert len(opened.tally().of(TrialOutcome.waiting)) == len(plan.first) == 1


def _supervise(folder: Path, url: str, server: int, moment: str) -> int:
    """Run a sweep in this process, and stop its database server at a moment at which no worker runs."""

    def stop(*_: Any) -> None:
        os.kill(server, signal.SIGQUIT)
        while is_alive(server):
            pass

    def open_record(key: str, lock: object) -> Any:
        if moment == "begins":
            return stop()
        record = MagicMock(run_id="run", ui_hint="")
        record.deliver.return_value = None
        record.offer_view.return_value = "/view"
        record.log_files = stop
        return record

    plan = quick_plan(
        folder,
        f"sweep.storage={url}",
        *("sweep.n_trials=2", "sweep.workers=1", "training.epochs=2", "sweep.pruner.kind=none"),
    )
    return supervise(QuickJob(plan), "host", open_record)

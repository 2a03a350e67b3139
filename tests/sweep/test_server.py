"""A study in a real PostgreSQL server, as several machines would share it."""

import os
import signal
import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from captcha_exp.sweep.study_lock import open_lock
from tests.sweep.conftest import Sweep, eventually
from tests.sweep.postgres import Server, running_server

pytest.importorskip("psycopg", reason="pip install 'captcha-exp[postgres]'")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as started:
        yield started


def test_two_supervisors_share_a_study_on_a_server(sweep: Sweep, server: Server) -> None:
    arguments = [f"sweep.storage={server.url}", "sweep.n_trials=7"]
    first, second = sweep.start(*arguments, EPOCH_S="0.1"), sweep.start(*arguments, EPOCH_S="0.1")
    assert first.wait(90) == 0, sweep.printed(0)
    assert second.wait(30) == 0, sweep.printed(1)
    sweep.storage = server.url
    assert sweep.outcomes() == {"finished": 7}
    assert not (sweep.folder / "sweeps/t/study.db").exists()


def test_a_worker_killed_while_a_server_keeps_the_study_is_retried(sweep: Sweep, server: Server) -> None:
    arguments = [f"sweep.storage={server.url}", "sweep.name=killed", "sweep.n_trials=4"]
    process = sweep.start(*arguments, EPOCH_S="0.25")
    os.kill(sweep.wait_for_begun()[-1], signal.SIGKILL)
    assert process.wait(60) == 0, sweep.printed()
    assert "sweep killed ended: 4 finished, 1 lost." in sweep.printed()


def test_a_lock_can_be_had_again_when_its_server_was_restarted(server: Server) -> None:
    """It kept a connection that was gone, and raised what nobody expects of a server that does not answer."""
    lock, other = open_lock(server.url, "restarted"), open_lock(server.url, "restarted")
    lock.acquire()
    assert not other.acquire(give_up=lambda: True)
    server.stop()
    lock.release()
    for _ in range(3):
        with pytest.raises(sa.exc.OperationalError):
            lock.acquire()
    server.start()
    assert lock.acquire(give_up=lambda: True)
    assert not other.acquire(give_up=lambda: True)  # its connection is gone
    assert not other.acquire(give_up=lambda: True)  # the lock is taken
    lock.release()
    assert other.acquire(give_up=lambda: True)
    other.release()


def test_a_sweep_outlives_a_restart_of_its_server(sweep: Sweep, server: Server) -> None:
    arguments = [f"sweep.storage={server.url}", "sweep.name=restarted", "sweep.n_trials=6"]
    process = sweep.start(*arguments, EPOCH_S="0.25")
    sweep.wait_for_begun(2)
    server.stop()
    eventually(lambda: True if "does not answer" in sweep.printed() else None)
    eventually(lambda: True if "the study's database was gone); another takes its place" in sweep.printed() else None)
    time.sleep(2)  # meanwhile workers are to be started, and cannot
    server.start()
    assert process.wait(90) == 0, sweep.printed()
    assert "sweep restarted ended: 6 finished" in sweep.printed()

"""A study in a real PostgreSQL server, as several machines would share it."""

import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from captcha_exp.sweep.server_connections import notice_vanished_clients, one_connection
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
    assert first.wait(240) == 0, sweep.printed(0)
    assert second.wait(30) == 0, sweep.printed(1)
    sweep.storage = server.url
    assert sweep.outcomes() == {"finished": 7}
    assert not (sweep.folder / "sweeps/t/study.db").exists()


def test_a_worker_killed_while_a_server_keeps_the_study_is_retried(sweep: Sweep, server: Server) -> None:
    arguments = [f"sweep.storage={server.url}", "sweep.name=killed", "sweep.n_trials=4"]
    process = sweep.start(*arguments, EPOCH_S="0.25")
    os.kill(sweep.wait_for_begun()[-1], signal.SIGKILL)
    assert process.wait(240) == 0, sweep.printed()
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
    assert process.wait(240) == 0, sweep.printed()
    assert "sweep restarted ended: 6 finished" in sweep.printed()


def connected(server: Server, *statements: str) -> Any:
    """Execute statements as the owner of the server; the answer to the last one."""
    import psycopg

    where = {"host": "127.0.0.1", "port": server.port, "user": "sweep", "dbname": "postgres"}
    with psycopg.connect(**where, autocommit=True) as connection:  # type: ignore[arg-type]
        for statement in statements:
            answer = connection.execute(statement.encode())
        return answer.fetchone() if answer.description else None


def test_a_worker_has_one_connection_while_its_trial_trains(sweep: Sweep, server: Server) -> None:
    """It had four or five, so a server with the usual limit of 100 had none left at 24 workers."""
    arguments = [f"sweep.storage={server.url}", "sweep.name=few", "sweep.n_trials=3", "sweep.workers=3"]
    process = sweep.start(*arguments, EPOCH_S="1.5")
    sweep.wait_for_begun(3)
    count = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    workers_and_supervisor = 3 + 1
    eventually(lambda: True if connected(server, count)[0] == workers_and_supervisor else None)
    assert process.wait(240) == 0, sweep.printed()


def test_no_trial_fails_if_the_server_has_no_connection_left(sweep: Sweep, server: Server) -> None:
    """Trials that found none ended as failed, for good, and the exit code was 0."""
    connected(server, "CREATE ROLE poor LOGIN CONNECTION LIMIT 5", "CREATE DATABASE poor OWNER poor")
    url = server.url.replace("sweep@", "poor@").replace("/postgres", "/poor")
    process = sweep.start(f"sweep.storage={url}", "sweep.n_trials=8", "sweep.workers=4", EPOCH_S="0.1")
    assert process.wait(200) == 0, sweep.printed()
    assert "sweep t ended: 8 finished" in sweep.printed()
    assert "failed" not in sweep.printed().partition("sweep t ended")[2]


def test_a_worker_that_comes_back_says_that_its_trial_was_given_up(sweep: Sweep, server: Server) -> None:
    """Its log said that the trial failed, of an UpdateFinishedTrialError."""
    arguments = [f"sweep.storage={server.url}", "sweep.name=back", "sweep.n_trials=3", "sweep.heartbeat_s=1"]
    process = sweep.start(*arguments, EPOCH_S="0.5")
    away = sweep.wait_for_begun()[0]
    os.kill(away, signal.SIGSTOP)
    try:
        sweep.wait_for_begun(4)  # three trials, and the one that is retried
    finally:
        os.kill(away, signal.SIGCONT)
    assert process.wait(240) == 0, sweep.printed()
    assert "sweep back ended: 3 finished, 1 lost." in sweep.printed()
    logs = "".join(path.read_text() for path in (sweep.folder / "sweeps/back").glob("worker-*.log"))
    assert "was given up by another worker while it ran here" in logs
    assert "failed" not in logs and "UpdateFinishedTrialError" not in logs


def test_the_server_frees_the_lock_of_a_machine_that_vanishes_within_a_minute(server: Server) -> None:
    """It waited for the keepalive of its system, which is two hours."""
    engine = sa.create_engine(server.url, **one_connection(server.url))
    notice_vanished_clients(engine)
    lock: Any = open_lock(server.url, "vanishing")
    lock.acquire()
    # The probes themselves belong to the systems, and cannot be seen from here.
    for connection in (engine.connect(), lock._connection):
        # The server answers 0 for a connection that has none of it, such as one through a socket file.
        idle, interval, count, timeout = (
            int(connection.execute(sa.text(f"SHOW {name}")).scalar().removesuffix("ms").removesuffix("s"))
            for name in ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count", "tcp_user_timeout")
        )
        assert 0 < idle + interval * count <= 60
        assert timeout
        parameters = connection.connection.dbapi_connection.info.get_parameters()
        assert 0 < int(parameters["keepalives_idle"]) <= 60
    lock.release()
    assert lock._connection is None

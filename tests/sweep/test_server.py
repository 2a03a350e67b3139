"""A study in a real PostgreSQL server, as several machines would share it."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sweep.conftest import Sweep, eventually

pytest.importorskip("psycopg", reason="pip install 'captcha-exp[postgres]'")


def _binary(name: str) -> str | None:
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(installed[-1]) if installed else None)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    initdb, postgres = _binary("initdb"), _binary("postgres")
    if initdb is None or postgres is None:
        pytest.skip("no PostgreSQL server is installed")
    # The server refuses to run as root; its socket's path must be short.
    as_other = ["runuser", "-u", "nobody", "--"] if os.geteuid() == 0 else []
    if as_other and shutil.which("runuser") is None:
        pytest.skip("PostgreSQL does not run as root, and there is no runuser")
    with tempfile.TemporaryDirectory(prefix="pg") as name:
        folder = Path(name)
        if as_other:
            shutil.chown(folder, "nobody")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        data = str(folder / "data")
        subprocess.run(
            [*as_other, initdb, "-D", data, "-U", "sweep", "-A", "trust", "--no-sync"],
            check=True,
            capture_output=True,
            cwd=folder,
        )
        listen = ["-h", "127.0.0.1", "-p", str(port), "-k", name, "-F"]
        process = subprocess.Popen([*as_other, postgres, "-D", data, *listen], cwd=folder, stderr=subprocess.DEVNULL)
        eventually(lambda: True if _answers(port) else None)
        yield f"postgresql+psycopg://sweep@127.0.0.1:{port}/postgres"
        process.terminate()
        process.wait(30)


def _answers(port: int) -> bool:
    import psycopg

    try:
        psycopg.connect(host="127.0.0.1", port=port, user="sweep", dbname="postgres").close()
    except psycopg.OperationalError:
        return False
    return True


def test_two_supervisors_share_a_study_on_a_server(sweep: Sweep, server: str) -> None:
    arguments = [f"sweep.storage={server}", "sweep.n_trials=7"]
    first, second = sweep.start(*arguments, EPOCH_S="0.1"), sweep.start(*arguments, EPOCH_S="0.1")
    assert first.wait(90) == 0, sweep.printed(0)
    assert second.wait(30) == 0, sweep.printed(1)
    sweep.storage = server
    assert sweep.outcomes() == {"finished": 7}
    assert not (sweep.folder / "sweeps/t/study.db").exists()


def test_a_worker_killed_while_a_server_keeps_the_study_is_retried(sweep: Sweep, server: str) -> None:
    arguments = [f"sweep.storage={server}", "sweep.name=killed", "sweep.n_trials=4"]
    process = sweep.start(*arguments, EPOCH_S="0.25")
    os.kill(sweep.wait_for_begun()[-1], signal.SIGKILL)
    assert process.wait(60) == 0, sweep.printed()
    assert "sweep killed ended: 4 finished, 1 lost." in sweep.printed()

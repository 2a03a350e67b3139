"""A real PostgreSQL server, as several machines would share it."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.loopback import free_port
from tests.sweep.conftest import eventually


def _binary(name: str) -> str | None:
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(installed[-1]) if installed else None)


class Server:
    """A PostgreSQL server on loopback, whose data lie in `folder`."""

    def __init__(self, folder: Path, initdb: str, postgres: str, password: str | None) -> None:
        # It refuses to run as root.
        self._as_other = ["runuser", "-u", "nobody", "--"] if os.geteuid() == 0 else []
        if self._as_other:
            shutil.chown(folder, "nobody")
        self.port = free_port()
        self.url = f"postgresql+psycopg://sweep@127.0.0.1:{self.port}/postgres"
        self.password = password
        self._folder, self._postgres, data = folder, postgres, str(folder / "data")
        how = ["-A", "trust"]
        if password is not None:
            (folder / "password").write_text(password)
            how = ["-A", "scram-sha-256", f"--pwfile={folder / 'password'}"]
        create = [*self._as_other, initdb, "-D", data, "-U", "sweep", *how, "--no-sync"]
        subprocess.run(create, check=True, capture_output=True, cwd=folder)

    def start(self) -> None:
        listen = ["-h", "127.0.0.1", "-p", str(self.port), "-k", str(self._folder), "-F"]
        command = [*self._as_other, self._postgres, "-D", str(self._folder / "data"), *listen]
        self._process = subprocess.Popen(command, cwd=self._folder, stderr=subprocess.DEVNULL)
        eventually(lambda: True if self._answers() else None)

    def stop(self) -> None:
        """Break every connection and end."""
        pid = int((self._folder / "data/postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGINT)
        self._process.wait(30)

    def _answers(self) -> bool:
        import psycopg

        try:
            psycopg.connect(
                host="127.0.0.1", port=self.port, user="sweep", dbname="postgres", password=self.password
            ).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def running_server(password: str | None = None) -> Iterator[Server]:
    """Start a server that asks for `password`, or for none; skip the test where PostgreSQL is not installed."""
    initdb, postgres = _binary("initdb"), _binary("postgres")
    if initdb is None or postgres is None:
        pytest.skip("no PostgreSQL server is installed")
    if os.geteuid() == 0 and shutil.which("runuser") is None:
        pytest.skip("PostgreSQL does not run as root, and there is no runuser")
    with tempfile.TemporaryDirectory(prefix="pg") as name:  # not tmp_path, which another user cannot enter
        server = Server(Path(name), initdb, postgres, password)
        server.start()
        yield server
        server.stop()

"""A PostgreSQL server on loopback, as several machines would share it."""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

_START_S = 60


class NoPostgresError(Exception):
    """PostgreSQL is not installed here, or cannot run as this user."""


class Server:
    """A server whose data lie in `folder`."""

    def __init__(self, folder: Path, password: str | None = None) -> None:
        """Args:
        folder: an empty folder that the user `nobody` can enter, who runs the server if this process is root's.
        password: what the server asks for; None if it asks for nothing.

        Raises:
            NoPostgresError: there is no server to start.
        """
        initdb, self._postgres = _binary("initdb"), _binary("postgres")
        if os.geteuid() == 0 and shutil.which("runuser") is None:
            raise NoPostgresError("PostgreSQL does not run as root, and there is no runuser")
        self._as_other = ["runuser", "-u", "nobody", "--"] if os.geteuid() == 0 else []
        if self._as_other:
            shutil.chown(folder, "nobody")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self.url = f"postgresql+psycopg://sweep@127.0.0.1:{self.port}/postgres"
        self.password = password
        self._folder, data = folder, str(folder / "data")
        how = ["-A", "trust"]
        if password is not None:
            (folder / "password").write_text(password)
            how = ["-A", "scram-sha-256", f"--pwfile={folder / 'password'}"]
        create = [*self._as_other, initdb, "-D", data, "-U", "sweep", *how, "--no-sync"]
        subprocess.run(create, check=True, capture_output=True, cwd=folder)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        listen = ["-h", "127.0.0.1", "-p", str(self.port), "-k", str(self._folder), "-F"]
        command = [*self._as_other, self._postgres, "-D", str(self._folder / "data"), *listen]
        self._process = subprocess.Popen(command, cwd=self._folder, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + _START_S
        while not self._answers():
            if time.monotonic() > deadline:
                raise NoPostgresError("PostgreSQL does not start")
            time.sleep(0.02)

    def stop(self, how: int = signal.SIGINT) -> None:
        """Break every connection and end: in order, or with SIGQUIT as if the machine had lost its power."""
        os.kill(self.pid, how)
        self.wait()

    def wait(self) -> None:
        """Wait until it has ended."""
        self._process.wait(30)

    @property
    def pid(self) -> int:
        """Its process, whose end is the end of all its processes."""
        return int((self._folder / "data/postmaster.pid").read_text().split()[0])

    def _answers(self) -> bool:
        import psycopg

        try:
            psycopg.connect(
                host="127.0.0.1", port=self.port, user="sweep", dbname="postgres", password=self.password
            ).close()
        except psycopg.OperationalError:
            return False
        return True


def _binary(name: str) -> str:
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    found = shutil.which(name) or (str(installed[-1]) if installed else None)
    if found is None:
        raise NoPostgresError("no PostgreSQL server is installed")
    return found

"""Servers on loopback, in processes of their own."""

import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def start_server(command: Sequence[str], url: str, folder: Path, **settings: str) -> "subprocess.Popen[bytes]":
    """Start a server in `folder` with these variables more, and return when `url` answers."""
    with (folder / "log").open("a") as log:
        environment = {**os.environ, **settings}
        server = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env=environment, start_new_session=True)
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return server
        except OSError:
            time.sleep(0.1)
    end_server(server)
    raise RuntimeError((folder / "log").read_text())


def end_server(server: "subprocess.Popen[bytes]", sent: int = signal.SIGKILL) -> None:
    """End a server and what it started."""
    with suppress(ProcessLookupError):
        os.killpg(server.pid, sent)
    server.wait(30)

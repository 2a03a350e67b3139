"""MLflow's server, as a process of its own that ends with this one."""

import http.client
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO

from captcha_exp.command_line import EXIT_INTERRUPT
from captcha_exp.config import UiConfig, without_passwords
from captcha_exp.config.local_store import local_store
from captcha_exp.errors import InputError
from captcha_exp.interruption import ended_by
from captcha_exp.terminal import complain

_log = logging.getLogger(__name__)
_HOST = "127.0.0.1"
_EXIT_ENDED = 1
_LAST_LINES = 20
_WAIT_S = 0.2
_ANSWER_S = 5
_END_S = 3
# One worker answers a single user as fast, and starts in a third of the time. Jobs are for evaluations of chats.
_OPTIONS = ("--workers", "1", "--uvicorn-opts", "--log-level warning")
_SETTINGS = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


def show_pages(config: UiConfig) -> int:
    """Serve the store until a signal ends it, and log the address of its runs once it answers.

    Returns:
        The exit code: 130 after Ctrl-C, 0 after SIGTERM, 1 if MLflow has ended by itself.

    Raises:
        InputError: the port is taken, or the store cannot be used.
    """
    uri = config.tracking.uri or local_store(config.root_path)
    if uri.startswith(("http://", "https://")):
        _log.info("tracking.uri is a server already: %s", _runs_page(config, None))
        return 0
    _check_free(config.port)
    if config.tracking.uri is None and not (config.root_path / "mlruns" / "mlflow.db").exists():
        _runs_page(config, None)  # makes the store; two processes must not make it at once
    signals: list[int] = []
    with ended_by(lambda number, _: signals.append(number)), _server(uri, config.port) as (server, printed):
        page = _runs_page(config, f"http://{_HOST}:{config.port}")  # loads MLflow while the server starts
        if _wait(server, lambda: bool(signals) or _answers(config.port)):
            if not signals:
                _log.info("%s   (Ctrl-C ends it)", page)
            _wait(server, lambda: bool(signals))
        if signals:
            return EXIT_INTERRUPT if signals[0] == signal.SIGINT else 0
        _tell_end(server, printed)
        return _EXIT_ENDED


def _runs_page(config: UiConfig, server: str | None) -> str:
    """The address of the runs' page; `server` null is the store's own."""
    from captcha_exp.tracking import open_store

    store = open_store(config.tracking, config.root_path)
    return store.runs_page(server or store.uri)


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
        try:
            probe.bind((_HOST, port))
        except OSError as error:
            raise InputError(
                f"port={port} cannot be used ({error.strerror}); choose another, e.g. port={port + 1}."
            ) from error


@contextmanager
def _server(uri: str, port: int) -> "Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]":
    """Start MLflow, and end it with all its processes at the end of the block. Also yields what it prints."""
    command = [sys.executable, "-m", "mlflow", "ui", "--host", _HOST, "--port", str(port), *_OPTIONS]
    # Every user of this machine can read a command line, so the address, which may hold a password, is not on it.
    settings = {**os.environ, **_SETTINGS, "MLFLOW_BACKEND_STORE_URI": uri}
    with tempfile.TemporaryFile() as printed:
        server = subprocess.Popen(
            command, env=settings, stdin=subprocess.DEVNULL, stdout=printed, stderr=printed, start_new_session=True
        )
        try:
            yield server, printed
        finally:
            _end(server)


def _end(server: "subprocess.Popen[bytes]") -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(server.pid, number)
        with suppress(subprocess.TimeoutExpired):
            server.wait(_END_S)


def _wait(server: "subprocess.Popen[bytes]", until: Callable[[], bool]) -> bool:
    """Wait for `until`. False if the server ends before."""
    while not until():
        with suppress(subprocess.TimeoutExpired):
            server.wait(_WAIT_S)
            return False
    return True


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{_HOST}:{port}/health", timeout=_ANSWER_S):
            return True
    except (OSError, http.client.HTTPException):
        return False


def _tell_end(server: "subprocess.Popen[bytes]", printed: IO[bytes]) -> None:
    printed.seek(0)
    for line in printed.read().decode(errors="replace").splitlines()[-_LAST_LINES:]:
        complain(without_passwords(line))
    complain(f"error: MLflow's server ended by itself, with exit code {server.returncode}; its last lines are above")

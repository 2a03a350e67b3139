"""A server from its first look at the port to its last answer."""

import asyncio
import logging
import os
import resource
import signal
import socket
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

from captcha_exp.config import RequestLimitsConfig, ServingConfig
from captcha_exp.errors import InputError
from captcha_exp.serve.connections import TOLD, Connections
from captcha_exp.serve.model_holder import ModelHolder

if TYPE_CHECKING:
    from captcha_exp.serve.application import Application

# What is in progress when the server is told to stop has so long to be read, and then to be refused.
_GRACE_S = 5
_REFUSED_WITHIN_S = 2
# uvicorn ticks ten times a second.
_TICKS_BETWEEN_LOOKS = 5
# As many connections may wait to be taken; so many are taken in each round of the loop, and cut some rounds later.
_BACKLOG, _TAKEN_AT_ONCE, _ROUNDS = 1024, 16, 4
# Open files besides the connections: uploads (of which a large one is a file), the model, logs.
_FILES = 1024


def serve(
    config: ServingConfig,
    tracking_uri: str,
    examples: Callable[[str], Mapping[str, bytes]],
    tell: Callable[[str], None],
) -> int | None:
    """Answer requests until a signal comes, then those in progress.

    Args:
        config: what is served where.
        tracking_uri: the store that knows the model.
        examples: given the model's characters, image files by name that the page offers to try.
        tell: takes lines for the user.

    Returns:
        The signal that ended it.

    Raises:
        InputError: there is no such model, or the port cannot be opened.
    """
    _ensure_files(config.limits.connections)
    with _bound(config.host, config.port) as listener, _uploads() as folder:
        models = ModelHolder(config.model, tracking_uri, config.threads, config.reload_s)
        from captcha_exp.serve.application import Application  # takes seconds, which no bad address should cost

        application = Application(config, models, examples(models.current.predictor.characters), folder)
        _listen(listener, config)
        models.start()
        tell(f"model {models.current.name} on {models.current.predictor.runtime}")
        tell(f"page http://{_address(listener)}   endpoint http://{_address(listener)}/v1/read   Ctrl-C stops")
        try:
            return _run(application, config.limits, listener)
        finally:
            models.stop()
            application.close()


def _ensure_files(connections: int) -> None:
    """Let this process have as many files open as the limits need: without them it could take no connection."""
    needed = connections + TOLD + _ROUNDS * _TAKEN_AT_ONCE + _FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard not in (resource.RLIM_INFINITY, max(hard, needed)):
        raise InputError(
            f"limits.connections={connections} needs {needed} open files, and a process may have {hard} here "
            f"(`ulimit -Hn`); choose at most {max(1, hard - needed + connections)}."
        )
    if soft not in (resource.RLIM_INFINITY, max(soft, needed)):
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


@contextmanager
def _bound(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that holds the port, and is not open yet."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise InputError(f"host={host} is no address of this machine: {error.strerror or error}.") from error
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
        except OSError as error:
            raise _cannot_open(host, port, error) from error
        yield listener


def _listen(listener: socket.socket, config: ServingConfig) -> None:
    try:
        listener.listen(_BACKLOG)
    except OSError as error:  # another server that was starting was faster
        raise _cannot_open(config.host, config.port, error) from error


def _cannot_open(host: str, port: int, error: OSError) -> InputError:
    return InputError(f"port={port} on {host} cannot be opened ({error.strerror}); choose another with `port=NUMBER`.")


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@contextmanager
def _uploads() -> Iterator[Path]:
    """A folder for what the page's users upload, which ends with the server."""
    with tempfile.TemporaryDirectory(prefix="captcha_exp-") as folder:
        os.environ["GRADIO_TEMP_DIR"] = folder
        yield Path(folder)


def _run(application: "Application", limits: RequestLimitsConfig, listener: socket.socket) -> int | None:
    server = Server(application, limits)
    # uvicorn raises the signal again when it has stopped, by when the server has done all that it stands for.
    before = {number: signal.signal(number, _ignore) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        server.run([listener])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return server.stopped_by


class Server(uvicorn.Server):
    """Runs an application, and lets go of the page's open streams when it stops, which browsers would hold for long.

    Attributes:
        stopped_by: the signal that ended it.
    """

    def __init__(self, application: "Application", limits: RequestLimitsConfig) -> None:
        self._connections = Connections(limits)
        super().__init__(
            uvicorn.Config(
                application.front,
                http=self._connections.protocol,  # type: ignore[arg-type]
                backlog=_TAKEN_AT_ONCE,
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                # The addresses that a client claims to come from would lift its limits.
                proxy_headers=False,
                timeout_graceful_shutdown=_GRACE_S + _REFUSED_WITHIN_S,
            )
        )
        self._application = application
        self.stopped_by: int | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.stopped_by = sig
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or []:
            listener.listen(_BACKLOG)

    async def on_tick(self, counter: int) -> bool:
        if counter % _TICKS_BETWEEN_LOOKS == 0:
            self._connections.end_stalled()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._application.end_streams()
        asyncio.get_running_loop().call_later(_GRACE_S, self._application.give_up)
        await super().shutdown(sockets)


def _ignore(_: int, __: FrameType | None) -> None:
    pass


def log_to_stderr() -> None:
    """Show the server's own lines, and of the libraries only what went wrong."""
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    logging.getLogger("captcha_exp").setLevel(logging.INFO)
    # What these say of damaged requests is in the answers; else any client could fill the log.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", module=r"PIL\.")

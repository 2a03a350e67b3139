"""Run a server, from opening the port to the last answer."""

import asyncio
import logging
import os
import resource
import socket
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from captcha_exp.config import RequestLimitsConfig, ServingConfig
from captcha_exp.errors import InputError
from captcha_exp.serve.connections import TOLD, Connections
from captcha_exp.serve.listening import address_of, bound, listen
from captcha_exp.serve.model_holder import ModelHolder
from captcha_exp.serve.stopped_server import StoppedServer

if TYPE_CHECKING:
    from captcha_exp.serve.application import Application

_log = logging.getLogger(__name__)
# After a signal, seconds to read the requests in progress, and then seconds to refuse the rest.
_GRACE_S = 5
_REFUSED_WITHIN_S = 2
# uvicorn ticks ten times a second.
_TICKS_BETWEEN_LOOKS = 5
# Connections that may wait, connections that one round of the loop accepts, and rounds until excess ones are cut.
_BACKLOG, _TAKEN_AT_ONCE, _ROUNDS = 1024, 16, 4
# Open files besides the connections: large uploads, the model, logs.
_FILES = 1024


def serve(
    config: ServingConfig,
    tracking_uri: str,
    examples: Callable[[str], Mapping[str, bytes]],
) -> int | None:
    """Answer requests until a signal comes, then finish those in progress.

    Args:
        config: what to serve, and where.
        tracking_uri: the store of the model.
        examples: takes the model's characters, and returns image files by name for the page.

    Returns:
        The signal that ended it.

    Raises:
        InputError: there is no such model, or the port cannot be opened.
    """
    _ensure_files(config.limits.connections)
    with bound(config.host, config.port) as listener, _uploads() as folder:
        models = ModelHolder(config.model, tracking_uri, config.threads, config.reload_s)
        from captcha_exp.serve.application import Application  # this takes seconds; report a bad address before

        application = Application(config, models, examples(models.current.predictor.characters), folder)
        listen(listener, config.host, config.port, _BACKLOG)
        models.start()
        _log.info("model %s on %s", models.current.name, models.current.predictor.runtime)
        address = f"http://{address_of(listener)}"
        _log.info("page %s   endpoint %s/v1/read   Ctrl-C stops", address, address)
        try:
            return Server(application, config.limits).run_until_signal(listener)
        finally:
            models.stop()
            application.close()


def _ensure_files(connections: int) -> None:
    """Let this process open as many files as the limits need; without them it could accept no connections."""
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
def _uploads() -> Iterator[Path]:
    """A folder for uploads to the page. It is removed when the server ends."""
    with tempfile.TemporaryDirectory(prefix="captcha_exp-") as folder:
        os.environ["GRADIO_TEMP_DIR"] = folder
        yield Path(folder)


class Server(StoppedServer):
    """Runs an application. When it stops, it closes the page's streams, which browsers would keep open for long."""

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
                # A client could claim other addresses, and so escape its limits.
                proxy_headers=False,
                timeout_graceful_shutdown=_GRACE_S + _REFUSED_WITHIN_S,
            )
        )
        self._application = application

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


def log_to_stderr() -> None:
    """Show the log with dates: the lines about the model in use, and the libraries' warnings and errors."""
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    # Answers already say what is wrong with damaged requests. If logged too, any client could fill the log.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", module=r"PIL\.")

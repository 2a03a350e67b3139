"""Serve the page until a signal comes."""

import logging
import socket
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from captcha_exp.interruption import ended_by

_GRACE_S = 2


def run_server(application: ASGIApp, listener: socket.socket) -> int | None:
    """Answer requests until Ctrl-C or SIGTERM, and finish those in progress.

    Returns:
        The signal that ended it.
    """
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    server = _Server(
        uvicorn.Config(
            application,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_GRACE_S,
        )
    )
    # uvicorn raises the signal again after it has stopped. By then the signal has been handled, so ignore it.
    with ended_by(_ignore):
        server.run([listener])
    return server.stopped_by


class _Server(uvicorn.Server):
    stopped_by: int | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.stopped_by = sig
        super().handle_exit(sig, frame)


def _ignore(_: int, __: FrameType | None) -> None:
    pass

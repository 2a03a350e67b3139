"""Serve the page until a signal comes."""

import logging
import socket

import uvicorn
from starlette.types import ASGIApp

from captcha_exp.serve.stopped_server import StoppedServer

_GRACE_S = 2


def run_server(application: ASGIApp, listener: socket.socket) -> int | None:
    """Answer requests until Ctrl-C or SIGTERM, and finish those in progress.

    Returns:
        The signal that ended it.
    """
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    server = StoppedServer(
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
    return server.run_until_signal(listener)

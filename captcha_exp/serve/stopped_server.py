"""A server of uvicorn that answers until a signal comes."""

import socket
from types import FrameType

import uvicorn

from captcha_exp.interruption import ended_by


class StoppedServer(uvicorn.Server):
    """A server that Ctrl-C or SIGTERM stops.

    Attributes:
        stopped_by: the signal that did.
    """

    stopped_by: int | None = None

    def run_until_signal(self, listener: socket.socket) -> int | None:
        """Answer requests, and finish those in progress at the end. Returns the signal that ended it."""
        # uvicorn raises the signal again after it has stopped. By then the signal has been handled, so ignore it.
        with ended_by(_ignore):
            self.run([listener])
        return self.stopped_by

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self.stopped_by = sig
        super().handle_exit(sig, frame)


def _ignore(_: int, __: FrameType | None) -> None:
    pass

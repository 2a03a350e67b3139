"""Ends a run at a Ctrl-C, even if Python drops the exception."""

import signal
import threading
from types import FrameType

_interrupted = threading.Event()


def remember_interrupts() -> None:
    """From now on, remember that Ctrl-C was pressed, besides raising KeyboardInterrupt.

    If a KeyboardInterrupt is raised in a finaliser, Python drops it, and the training would continue.
    """
    signal.signal(signal.SIGINT, _interrupt)


def raise_if_interrupted() -> None:
    """Raise KeyboardInterrupt if Ctrl-C was pressed since `remember_interrupts`."""
    if _interrupted.is_set():
        raise KeyboardInterrupt


def _interrupt(number: int, frame: FrameType | None) -> None:
    _interrupted.set()
    raise KeyboardInterrupt

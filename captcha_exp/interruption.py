"""Ends a run at a Ctrl-C: not while something is being stored, and even if Python drops the exception."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

Handler = Callable[[int, FrameType | None], object]

_interrupted = threading.Event()
_owed = threading.Event()  # an interrupt waits for the end of `uninterrupted`
_blocks: list[None] = []  # one for each `uninterrupted` that the main thread is in


def remember_interrupts() -> None:
    """From now on, remember that Ctrl-C was pressed, besides raising KeyboardInterrupt.

    If a KeyboardInterrupt is raised in a finaliser, Python drops it, and the training would continue.
    """
    signal.signal(signal.SIGINT, _on_signal)


def raise_if_interrupted() -> None:
    """Raise KeyboardInterrupt if there was an interrupt."""
    if _interrupted.is_set():
        raise KeyboardInterrupt


def interrupt() -> None:
    """Raise KeyboardInterrupt: now, or at the end of `uninterrupted`. A second interrupt does not wait."""
    waits = bool(_blocks) and not _interrupted.is_set()
    _interrupted.set()
    if not waits:
        raise KeyboardInterrupt
    _owed.set()


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let an interrupt wait for the end of the block. Other threads do nothing here: signals reach the main one.

    A KeyboardInterrupt in the middle of a transaction would leave the transaction open, and the database locked for as
    long as this process lives.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _blocks.append(None)
    try:
        yield
    finally:
        _blocks.pop()
        if _owed.is_set() and not _blocks:
            _owed.clear()
            raise KeyboardInterrupt


@contextmanager
def ended_by(handler: Handler) -> Iterator[None]:
    """Let `handler` take Ctrl-C and SIGTERM during the block, in place of those that took them before."""
    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


class Uninterrupted:
    """Another object, whose methods are not interrupted."""

    def __init__(self, wrapped: Any) -> None:
        self._wrapped = wrapped

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._wrapped, name)
        if not callable(value):
            return value

        def call(*args: Any, **kwargs: Any) -> Any:
            with uninterrupted():
                return value(*args, **kwargs)

        return call


def _on_signal(number: int, frame: FrameType | None) -> None:
    interrupt()

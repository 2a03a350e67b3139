"""Delivers what waits in the outboxes of a server, from a thread of its own."""

import logging
import threading
from pathlib import Path

from mlflow import MlflowClient

from captcha_exp.config import without_passwords
from captcha_exp.lock import try_lock
from captcha_exp.tracking.answering import StoreFailure, time_for_uploads
from captcha_exp.tracking.mlflow_text import one_line
from captcha_exp.tracking.outbox import Outbox, Record, outboxes, undelivered
from captcha_exp.tracking.sending import send
from captcha_exp.tracking.server_away import is_away, pauses_s

_LOCK = ".lock"
_LOCKED_OUT = {401, 403}
_log = logging.getLogger(__name__)


def deliver(folder: Path, client: MlflowClient) -> bool:
    """Deliver every record below `folder`, those of one run in their order, until the server is away.

    Only one process of a machine does so at a time.

    Args:
        folder: holds the outboxes.
        client: talks to the server, and does not wait for it.

    Returns:
        Whether nothing waits any more.
    """
    if not undelivered(folder):
        return True
    lock = try_lock(folder / _LOCK)
    if lock is None:
        return False
    try:
        return all([_deliver(outbox, client) for outbox in outboxes(folder)])
    except ServerAwayError:
        return False
    finally:
        lock.release()


class ServerAwayError(Exception):
    """The server does not answer now, or does not let this user in."""


class Courier:
    """Delivers in the background, and ends when nothing waits any more."""

    def __init__(self, folder: Path, client: MlflowClient, uri: str) -> None:
        """Args:
        folder: holds the outboxes.
        client: talks to the server, and does not wait for it.
        uri: the server's address, for messages.
        """
        self._folder, self._client, self._uri = folder, client, str(without_passwords(uri))
        self._thread: threading.Thread | None = None
        self._guard = threading.Lock()

    def wake(self) -> None:
        """Begin to deliver, unless that has begun."""
        with self._guard:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True, name="courier")
                self._thread.start()

    def _work(self) -> None:
        pauses = pauses_s()
        waits = threading.Event()  # nobody sets it: a pause that the end of the process cuts short
        while True:
            try:
                with time_for_uploads():
                    deliver(self._folder, self._client)
            except Exception:  # a full disk, for example; the records stay
                _log.exception("what waits for the tracking server could not be delivered")
            with self._guard:
                if not undelivered(self._folder):
                    self._thread = None
                    break
            waits.wait(next(pauses))
        _log.info("the tracking server %s has all that was kept for it", self._uri)


def _deliver(outbox: Outbox, client: MlflowClient) -> bool:
    while (record := outbox.first()) is not None:
        _attempt(outbox, record, client)
    outbox.remove_if_empty()
    return True


def _attempt(outbox: Outbox, record: Record, client: MlflowClient) -> None:
    """Deliver one record, or set it aside if the server refuses it.

    Raises:
        ServerAwayError: the server is away.
    """
    try:
        send(client, outbox.run_id, record.read(), record.files, record.path.stem)
    except StoreFailure as error:
        if is_away(error) or _status(error) in _LOCKED_OUT:
            raise ServerAwayError from error
        record.set_aside()
        _log.warning("the tracking server refuses what run %s logged: %s", outbox.run_id, one_line(error))
        return
    record.remove()


def _status(error: Exception) -> int | None:
    asked = getattr(error, "get_http_status_code", None)
    if asked is not None:
        return int(asked())
    response = getattr(error, "response", None)
    return None if response is None else int(response.status_code)

"""Allows one promotion at a time, for every kind of store."""

import hashlib
import json
import re
import socket
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import BaseFileLock

from captcha_exp.errors import InputError
from captcha_exp.lock import locked, try_lock
from captcha_exp.tracking.answering import StoreFailure
from captcha_exp.tracking.registry import Registry
from captcha_exp.tracking.store import Store, user_name

_CLAIM = "promotion.claim."
# Only this form is accepted: other text could be a path to a file on this machine.
_TOKEN = re.compile(r"[0-9a-f]{32}")
_SHOWN = 60


@dataclass(frozen=True)
class Turn:
    """One command's turn.

    Call `check` before each change: it raises InputError if somebody else removed the claim. `interrupted` are the
    tokens of earlier commands on this machine that died, or lost the server, before they could record their end.
    """

    token: str | None = None
    check: Callable[[], None] = lambda: None
    interrupted: frozenset[str] = frozenset()


ALONE = Turn()


@contextmanager
def exclusive(store: Store, registry: Registry, claims: Path) -> Iterator[Turn]:
    """Keep every other promotion of this model out.

    If the store is a file, it is locked and others wait. The kernel frees the lock if the process dies. MLflow's
    servers have neither locks nor conditional writes, but each process can write a tag of its own. So each process
    writes a claim and then looks for other claims; if it finds one, it gives up. Two processes that start at the same
    moment may both give up, but never both continue. If a process dies, its claim stays; the next promotion with the
    same `claims` removes it. A claim from another machine cannot be checked, so the error names it.

    Args:
        store: where the registry is.
        registry: the model.
        claims: a folder on this machine that shows which of its claims are alive.

    Raises:
        InputError: another promotion of this model is running against the same server.
    """
    if store.lock_file is not None:
        path = store.lock_file.with_name(f".promotion-{hashlib.sha256(registry.name.encode()).hexdigest()}")
        with locked(path, f"another promotion of {registry.name}"):
            yield ALONE
        return
    registry.ensure()
    token = uuid.uuid4().hex
    # Each model and server has its own folder.
    place = claims / hashlib.sha256(f"{store.uri}\n{registry.name}".encode()).hexdigest()[:16]
    alive = _hold(_file(place, token))
    try:
        with _claimed(registry, token, place):
            interrupted = frozenset(_interrupted(place))
            _give_way(registry, token, place)
            yield Turn(token, lambda: _check_claim(registry, token), interrupted)
        for dead in interrupted:  # their unfinished work is finished now
            _forget(_file(place, dead))
    finally:
        alive.release()


def _file(place: Path, token: str) -> Path:
    return place.with_name(f"{place.name}-{token}")


def _interrupted(place: Path) -> Iterator[str]:
    """Tokens whose files exist but are not locked."""
    for path in place.parent.glob(f"{place.name}-*"):
        lock = try_lock(path)
        if lock is not None:
            lock.release()
            yield path.name.removeprefix(f"{place.name}-")


@contextmanager
def _claimed(registry: Registry, token: str, place: Path) -> Iterator[None]:
    """Hold a claim. If the server fails, the claim's file stays and later shows that the claim is stale."""
    key, file = _CLAIM + token, _file(place, token)
    try:
        registry.set_model_tag(key, json.dumps(_holder()))
        yield
    except StoreFailure:
        with suppress(*StoreFailure):  # the first error is more useful
            registry.delete_model_tag(key)
        raise
    except BaseException:
        with suppress(*StoreFailure):
            _remove(registry, key, file)
        raise
    _remove(registry, key, file)


def _remove(registry: Registry, key: str, file: Path) -> None:
    registry.delete_model_tag(key)
    file.unlink(missing_ok=True)


def _check_claim(registry: Registry, token: str) -> None:
    if _CLAIM + token not in registry.model_tags():
        raise InputError(
            f"The claim of this promotion of {registry.name} was removed by somebody else, so another may be under "
            "way. Type the command again."
        )


def _hold(path: Path) -> BaseFileLock:
    while (lock := try_lock(path)) is None:
        time.sleep(0.001)  # another process may hold the lock for a moment, to check whether this one is alive
    return lock


def _forget(path: Path) -> None:
    lock = try_lock(path)
    if lock is not None:
        path.unlink(missing_ok=True)
        lock.release()


def _give_way(registry: Registry, token: str, place: Path) -> None:
    for key, value in registry.model_tags().items():
        other = key.removeprefix(_CLAIM)
        if not key.startswith(_CLAIM) or other == token:
            continue
        if _TOKEN.fullmatch(other) and _removed(registry, key, _file(place, other)):
            continue
        raise InputError(
            f"Another promotion of {registry.name} is under way ({_told(value)}). Try again when it has ended; if it "
            f"died, remove the registered model's tag {key if _TOKEN.fullmatch(other) else repr(key[:_SHOWN])}."
        )


def _removed(registry: Registry, key: str, path: Path) -> bool:
    """Remove a claim if its holder was a process of this machine that has died; return whether it did."""
    lock = try_lock(path) if path.exists() else None
    if lock is None:  # the holder is alive, or on another machine
        return False
    try:
        # If the holder has just ended, it removed its claim, and this lock is on a new file of the same name.
        if key in registry.model_tags():
            registry.delete_model_tag(key)
        else:
            path.unlink(missing_ok=True)
    finally:
        lock.release()
    return True


def _told(claim: str) -> str:
    """Who holds a claim, according to its text. Anybody who may write tags could have written it."""
    try:
        holder = json.loads(claim)
        user, host, since = (str(holder[key])[:_SHOWN] for key in ("user", "host", "since"))
    except (ValueError, TypeError, KeyError, RecursionError):
        return f"its claim is {claim[:_SHOWN]!r}"
    told = f"{user} on {host}, since {since}"
    return told if told.isprintable() else f"its claim is {claim[:_SHOWN]!r}"


def _holder() -> dict[str, str]:
    since = datetime.now(UTC).isoformat(timespec="seconds")
    return {"user": user_name(), "host": socket.gethostname(), "since": since}

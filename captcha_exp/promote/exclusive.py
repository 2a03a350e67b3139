"""One promotion at a time, whichever store keeps the models."""

import getpass
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
from captcha_exp.tracking.store import Store

_CLAIM = "promotion.claim."
# Anything else after it would be somebody's path to a file of this machine.
_TOKEN = re.compile(r"[0-9a-f]{32}")
_SHOWN = 60


@dataclass(frozen=True)
class Turn:
    """One command's turn.

    `check` raises InputError once somebody else removed the claim, to be called before each change. `interrupted` are
    the tokens of commands from this machine that had a turn and died, or lost the server, before they told their end.
    """

    token: str | None = None
    check: Callable[[], None] = lambda: None
    interrupted: frozenset[str] = frozenset()


ALONE = Turn()


@contextmanager
def exclusive(store: Store, registry: Registry, claims: Path, report: Callable[[str], None]) -> Iterator[Turn]:
    """Keep every other promotion of this model out.

    A store that is a file of this machine is locked, and others wait; the kernel frees the lock of a process that dies.
    MLflow's servers offer neither a lock nor a write that depends on what is there, only that each of many processes
    can write a tag of its own: each writes a claim, then looks for others, and gives way if there is one. Two that
    begin in the same moment may so both give way, but never both go on. A claim left by a process that died is removed
    by the next promotion from the same `claims`; from elsewhere nobody can tell, and it is named.

    Args:
        store: where the registry is.
        registry: the model.
        claims: a folder of this machine, for telling which of its claims are alive.
        report: told when this has to wait.

    Raises:
        InputError: another promotion of this model is under way at a server.
    """
    if store.lock_file is not None:
        path = store.lock_file.with_name(f".promotion-{hashlib.sha256(registry.name.encode()).hexdigest()}")
        with locked(path, lambda: report(f"waiting for another promotion of {registry.name}")):
            yield ALONE
        return
    registry.ensure()
    token = uuid.uuid4().hex
    # Beside those of other models and servers.
    place = claims / hashlib.sha256(f"{store.uri}\n{registry.name}".encode()).hexdigest()[:16]
    alive = _hold(_file(place, token))
    try:
        with _claimed(registry, token, place):
            interrupted = frozenset(_interrupted(place))
            _give_way(registry, token, place)
            yield Turn(token, lambda: _check_claim(registry, token), interrupted)
        for dead in interrupted:  # what they left half done is finished now
            _forget(_file(place, dead))
    finally:
        alive.release()


def _file(place: Path, token: str) -> Path:
    return place.with_name(f"{place.name}-{token}")


def _interrupted(place: Path) -> Iterator[str]:
    """Tokens whose files are there and not locked."""
    for path in place.parent.glob(f"{place.name}-*"):
        lock = try_lock(path)
        if lock is not None:
            lock.release()
            yield path.name.removeprefix(f"{place.name}-")


@contextmanager
def _claimed(registry: Registry, token: str, place: Path) -> Iterator[None]:
    """Have a claim; its file stays where the server failed, and tells later that the claim is stale."""
    key, file = _CLAIM + token, _file(place, token)
    try:
        registry.set_model_tag(key, json.dumps(_holder()))
        yield
    except StoreFailure:
        with suppress(*StoreFailure):  # what went wrong first is worth more
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
        time.sleep(0.001)  # another process looks for a moment whether this one is alive
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
    """Whether a claim's holder was a process of this machine that is gone; then its claim is."""
    lock = try_lock(path) if path.exists() else None
    if lock is None:  # alive, or of another machine
        return False
    try:
        # One that has just ended took its claim along, and this lock is on a new file of the same name.
        if key in registry.model_tags():
            registry.delete_model_tag(key)
        else:
            path.unlink(missing_ok=True)
    finally:
        lock.release()
    return True


def _told(claim: str) -> str:
    """Who holds a claim, as far as it tells; anybody who may write tags may have written it."""
    try:
        holder = json.loads(claim)
        user, host, since = (str(holder[key])[:_SHOWN] for key in ("user", "host", "since"))
    except (ValueError, TypeError, KeyError, RecursionError):
        return f"its claim is {claim[:_SHOWN]!r}"
    told = f"{user} on {host}, since {since}"
    return told if told.isprintable() else f"its claim is {claim[:_SHOWN]!r}"


def _holder() -> dict[str, str]:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        user = "unknown"
    since = datetime.now(UTC).isoformat(timespec="seconds")
    return {"user": user, "host": socket.gethostname(), "since": since}

"""One promotion at a time, whichever store keeps the models."""

import getpass
import json
import os
import socket
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from captcha_exp.errors import InputError
from captcha_exp.lock import locked, try_lock
from captcha_exp.tracking.registry import Registry
from captcha_exp.tracking.store import Store

_CLAIM = "promotion.claim."


@contextmanager
def exclusive(store: Store, registry: Registry, claims: Path, report: Callable[[str], None]) -> Iterator[None]:
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
        path = store.lock_file.with_name(f".promotion-{registry.name.encode().hex()}")
        with locked(path, lambda: report(f"waiting for another promotion of {registry.name}")):
            yield
        return
    token = uuid.uuid4().hex
    alive = _hold(claims / token)
    try:
        registry.ensure()
        registry.set_model_tag(_CLAIM + token, json.dumps(_holder()))
        try:
            _give_way(registry, token, claims)
            yield
        finally:
            registry.delete_model_tag(_CLAIM + token)
    finally:
        (claims / token).unlink(missing_ok=True)
        os.close(alive)


def _hold(path: Path) -> int:
    descriptor = try_lock(path)
    if descriptor is None:  # a fresh random name
        raise RuntimeError(f"{path} is locked by another process.")
    return descriptor


def _give_way(registry: Registry, token: str, claims: Path) -> None:
    for key, value in registry.model_tags().items():
        other = key.removeprefix(_CLAIM)
        if not key.startswith(_CLAIM) or other == token:
            continue
        if _removed(registry, key, claims / other):
            continue
        holder = json.loads(value)
        raise InputError(
            f"Another promotion of {registry.name} is under way ({holder['user']} on {holder['host']}, since "
            f"{holder['since']}). Try again when it has ended; if it died, remove the registered model's tag {key}."
        )


def _removed(registry: Registry, key: str, path: Path) -> bool:
    """Whether a claim's holder was a process of this machine that is gone; then nothing of it is left."""
    descriptor = try_lock(path) if path.exists() else None
    if descriptor is None:  # alive, or of another machine
        return False
    try:
        # One that has just ended took its claim along, and this lock is on a new file of the same name.
        if key in registry.model_tags():
            registry.delete_model_tag(key)
        path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)
    return True


def _holder() -> dict[str, str]:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        user = "unknown"
    since = datetime.now(UTC).isoformat(timespec="seconds")
    return {"user": user, "host": socket.gethostname(), "since": since}

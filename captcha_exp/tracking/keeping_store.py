"""The store of a training: it outlives an absence of its server."""

import os
import zlib
from dataclasses import replace
from pathlib import Path
from typing import cast

from mlflow import MlflowClient

from captcha_exp.config import TrackingConfig
from captcha_exp.tracking.answering import ONCE, quiet_retries
from captcha_exp.tracking.keeping_client import KeepingClient
from captcha_exp.tracking.opening import open_store, store_uri
from captcha_exp.tracking.server_away import be_patient, patiently, wait_s
from captcha_exp.tracking.store import Store
from captcha_exp.tracking.system_metrics import check_system_metrics


def open_keeping_store(config: TrackingConfig, root: Path, *, wait: bool) -> Store:
    """Open the store for runs that train. A store that is no server is opened as `open_store` does.

    Limits of requests that the user's environment sets are kept.

    Args:
        config: see `open_store`.
        root: see `open_store`; what a server cannot take is kept below it.
        wait: whether to wait for a server that does not answer: now, and whenever this process reads a model.

    Raises:
        InputError: see `open_store` and `check_system_metrics`.
        StoreAwayError: the server did not answer for as long as `wait_s` says.
    """
    check_system_metrics(config)
    uri = store_uri(config.uri, root)
    if not uri.startswith(("http://", "https://")):
        return open_store(config, root)
    for name, value in ONCE.items():
        os.environ.setdefault(name, value)
    quiet_retries()
    longest_s = wait_s()
    if wait:
        be_patient(longest_s)
    store = patiently(lambda: open_store(config, root), uri, longest_s) if wait else open_store(config, root)
    folder = root / "mlruns" / "outbox" / f"{zlib.crc32(uri.encode()):08x}"
    return replace(store, client=cast(MlflowClient, KeepingClient(store.client, folder, uri, longest_s)))


def deliver_all(store: Store, *, wait: bool = True) -> str | None:
    """Deliver what this machine keeps for the store's server.

    Args:
        store: from `open_keeping_store`.
        wait: whether to wait for the server. Without, also later calls of this store do not wait.

    Returns:
        What could not be delivered and how to deliver it, in one line; None if nothing is left.
    """
    client = store.client
    if not isinstance(client, KeepingClient):
        return None
    if not wait:
        client.longest_s = 0
    left = client.deliver()
    if not left:
        return None
    runs = f"{len(left)} run{'s' if len(left) > 1 else ''}"
    return (
        f"the tracking server {store.uri} does not answer, so {sum(left.values())} records of {runs} are kept in "
        f"{client.folder}; the next training or sweep with this `root` and `tracking.uri` delivers them"
    )

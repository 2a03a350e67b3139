"""The connections of a process to a database server: one that stays, and no dead one that lasts."""

import logging
from typing import Any

import sqlalchemy as sa

CONNECT_TIMEOUT_S = 10
# A machine that vanishes says nothing. After these times its connection is dead, for itself and for the server, which
# then frees the lock that it held. Without them the server would wait for hours.
_IDLE_S, _INTERVAL_S, _PROBES = 20, 10, 3
_DEAD_AFTER_MS = 1000 * (_IDLE_S + _INTERVAL_S * _PROBES)
_CLIENT = {
    "keepalives": 1,
    "keepalives_idle": _IDLE_S,
    "keepalives_interval": _INTERVAL_S,
    "keepalives_count": _PROBES,
    "tcp_user_timeout": _DEAD_AFTER_MS,
}
_SERVER = {
    "tcp_keepalives_idle": _IDLE_S,
    "tcp_keepalives_interval": _INTERVAL_S,
    "tcp_keepalives_count": _PROBES,
    "tcp_user_timeout": _DEAD_AFTER_MS,
}
# A second connection of a pool is there for a moment if two threads work. It is closed after use.
_STAYING, _PASSING = 1, 4
_log = logging.getLogger(__name__)


def connection_arguments(url: str) -> dict[str, Any]:
    """Arguments of the driver for connections to the database server `url`."""
    return {"connect_timeout": CONNECT_TIMEOUT_S, **(_CLIENT if _is_postgres(url) else {})}


def one_connection(url: str) -> dict[str, Any]:
    """Arguments for an engine of which one connection stays open between two uses."""
    return {
        "connect_args": connection_arguments(url),
        "pool_pre_ping": True,  # the server may have been restarted since the connection was last used
        "pool_size": _STAYING,
        "max_overflow": _PASSING,
    }


def notice_vanished_clients(engine: sa.Engine) -> None:
    """Let the server soon notice if this machine vanishes. Connections that are open already are closed."""
    if _is_postgres(engine.url):
        sa.event.listen(engine, "connect", _notice_vanished_client)
        engine.dispose()


def _is_postgres(url: str | sa.URL) -> bool:
    return sa.make_url(url).get_backend_name() == "postgresql"


def _notice_vanished_client(connection: Any, record: object) -> None:
    before, connection.autocommit = connection.autocommit, True
    try:
        with connection.cursor() as cursor:
            for name, value in _SERVER.items():
                cursor.execute(f"SET {name} = {value}")
    except Exception as error:  # for example, a server that is older than the setting
        _log.debug("the database server cannot be told to notice vanished clients: %s", error)
    finally:
        connection.autocommit = before

"""Open the port of a server."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from captcha_exp.errors import InputError


@contextmanager
def bound(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that holds the port but does not listen yet.

    Raises:
        InputError: the host is no address of this machine, or the port is taken.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise InputError(f"host={host} is no address of this machine: {error.strerror or error}.") from error
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
        except OSError as error:
            raise _cannot_open(host, port, error) from error
        yield listener


def listen(listener: socket.socket, host: str, port: int, backlog: int) -> None:
    """Let `backlog` connections wait.

    Raises:
        InputError: another server took the port at the same time.
    """
    try:
        listener.listen(backlog)
    except OSError as error:
        raise _cannot_open(host, port, error) from error


def address_of(listener: socket.socket) -> str:
    """HOST:PORT."""
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _cannot_open(host: str, port: int, error: OSError) -> InputError:
    return InputError(f"port={port} on {host} cannot be opened ({error.strerror}); choose another with `port=NUMBER`.")

"""Limit the number of connections, and how long each may keep the server waiting."""

import json
import time
from collections import Counter
from http import HTTPStatus
from typing import Any

import h11
from h11._receivebuffer import ReceiveBuffer
from uvicorn.protocols.http.h11_impl import H11Protocol

from captcha_exp.config import RequestLimitsConfig

# Most bytes of a request line and its headers. h11 has the same limit, but only for headers that arrive in parts.
_HEAD_BYTES = 16 * 2**10
_MOST_HEADERS = 100
_TOO_LARGE = 431
# A body may begin with this many parts of any size. Later parts must have a least size on average.
_FREE_PARTS = 1_000
_LEAST_PART_BYTES = 512
# This many connections above the limit get an answer that says so. Further connections are cut.
TOLD = 64
_TELLING_S = 2


class Connections:
    """The open connections of one server.

    Without a limit, each client could hold a file descriptor and some memory for as long as it likes.
    """

    def __init__(self, limits: RequestLimitsConfig) -> None:
        self._limits = limits
        self._open: set[Http] = set()
        self._told: set[Http] = set()
        self._of_address: Counter[str] = Counter()

    def protocol(self, **server: Any) -> "Http":
        """The protocol for one client. It takes the arguments that uvicorn passes to a protocol."""
        return Http(self, **server)

    def enter(self, connection: "Http") -> str | None:
        """Add a connection. Returns why it is refused, or None if it is accepted.

        If all places are taken, an address with fewer connections gets the place of a waiting connection of the address
        with most. So a flood from one address, or a few, does not shut out others.
        """
        if len(self._open) < self._limits.connections or self._make_room(connection.address):
            self._open.add(connection)
            self._of_address[connection.address] += 1
            return None
        if len(self._told) >= TOLD:
            connection.transport.abort()
        self._told.add(connection)
        return f"{self._limits.connections} connections are open (limits.connections); try again"

    def leave(self, connection: "Http") -> None:
        """Remove a connection."""
        self._told.discard(connection)
        if connection in self._open:
            self._open.discard(connection)
            self._of_address[connection.address] -= 1
            if not self._of_address[connection.address]:
                del self._of_address[connection.address]

    def _make_room(self, address: str) -> bool:
        largest, most = self._of_address.most_common(1)[0]
        if self._of_address.get(address, 0) + 1 >= most:
            return False
        waiting = next((one for one in self._open if one.address == largest and one.is_owed()), None)
        if waiting is None:
            return False
        waiting.transport.abort()
        self.leave(waiting)
        return True

    def end_stalled(self) -> None:
        """End connections whose clients have kept the server waiting too long. Call this about every second."""
        now = time.monotonic()
        for connection in [*self._open, *self._told]:
            connection.end_if_stalled(now, self._limits.stalled_s)


class Http(H11Protocol):
    """HTTP with one client, with limits on slow and on large requests. Refusals are JSON, as everywhere else.

    Attributes:
        address: where the client is.
    """

    def __init__(self, connections: Connections, **server: Any) -> None:
        super().__init__(**server)
        self.conn = self._bounded = _BoundedHttp()
        self._connections = connections
        self.address = ""
        self._excess: str | None = None
        self._waiting_since: float | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.address = self.client[0] if self.client else ""
        self._excess = self._connections.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._excess:  # answer only after a request: a client might never read an earlier answer
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, self._excess, "retry-after: 1\r\n")
            return
        super().data_received(data)

    def on_response_complete(self) -> None:
        self._waiting_since = None
        super().on_response_complete()

    def resume_writing(self) -> None:
        self._waiting_since = None
        super().resume_writing()

    def end_if_stalled(self, now: float, stalled_s: float) -> None:
        """End the connection if the server has waited for its client for more than `stalled_s` seconds."""
        if not self.is_owed():
            self._waiting_since = None
        elif self._waiting_since is None:
            self._waiting_since = now
        elif now - self._waiting_since > (_TELLING_S if self._excess else stalled_s):
            has_begun = self.conn.our_state is h11.IDLE and self.conn.trailing_data[0]
            if has_begun and not self.transport.is_closing():
                reason = f"the request's headers took longer than {stalled_s:g} s"
                self._refuse(HTTPStatus.REQUEST_TIMEOUT, reason)
            elif self.transport.get_write_buffer_size():
                self.transport.abort()
            else:
                self.transport.close()

    def is_owed(self) -> bool:
        """Whether the client must act: send a request, send the rest of an answered one, or read an answer."""
        sends = self.cycle is None or self.cycle.response_complete
        return sends or self.flow.write_paused or self.transport.is_closing()

    def send_400_response(self, msg: str) -> None:
        self._refuse(HTTPStatus.BAD_REQUEST, self._bounded.problem or msg)

    def _refuse(self, status: HTTPStatus, reason: str, headers: str = "") -> None:
        body = json.dumps({"error": reason}).encode()
        head = f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n{headers}\r\n"
        self.transport.write(f"HTTP/1.1 {status} {status.phrase}\r\n{head}".encode() + body)
        self.transport.close()


class _BoundedHttp(h11.Connection):
    """Bounds the work of a request, because every header and every part of a body costs some.

    Attributes:
        problem: why a valid HTTP request was refused.
    """

    problem: str | None = None
    _parts = _bytes = 0

    def __init__(self) -> None:
        super().__init__(h11.SERVER, _HEAD_BYTES)
        # This is private to h11. Its own limit counts neither headers nor bytes that arrive all at once;
        # `test_connections.py` tests both.
        self._receive_buffer = _Lines()

    def next_event(self) -> Any:
        try:
            event = super().next_event()
        except h11.RemoteProtocolError as error:
            if error.error_status_hint == _TOO_LARGE:
                self.problem = f"more than {_MOST_HEADERS} headers, or more than {_HEAD_BYTES} bytes of them"
            raise
        if isinstance(event, h11.Request):
            self._parts = self._bytes = 0
        elif isinstance(event, h11.Data):
            self._parts += 1
            self._bytes += len(event.data)
            if self._parts > _FREE_PARTS and self._bytes < _LEAST_PART_BYTES * self._parts:
                self.problem = f"the body comes in more than {_FREE_PARTS} parts of a few bytes each"
                raise h11.RemoteProtocolError(self.problem)
        return event


class _Lines(ReceiveBuffer):
    """Received bytes. Headers before and after a body are limited in number and in size."""

    def maybe_extract_lines(self) -> list[bytearray] | None:
        lines = super().maybe_extract_lines()
        if lines and (len(lines) > _MOST_HEADERS + 1 or sum(map(len, lines)) > _HEAD_BYTES):
            raise h11.RemoteProtocolError("too large", error_status_hint=_TOO_LARGE)
        return lines

"""Clients that dawdle, flood, or send what is hardly HTTP."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

from tests.serve.server.conftest import Served, bars


@pytest.fixture(scope="module")
def strict(serve: Callable[..., Served]) -> Served:
    """A server of few connections and little patience."""
    return serve(
        "limits.requests_per_second=null", "limits.stalled_s=1", "limits.upload_s=2", "limits.connections=24",
        "limits.concurrent=4", "limits.upload_mib=1", "limits.uploads_mib=2",
    )  # fmt: skip


def _connect(served: Served, source: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection(("127.0.0.1", served.port), timeout=20, source_address=(source, 0))


def _rest(connection: socket.socket) -> bytes:
    """What comes until the server closes."""
    received = b""
    try:
        while data := connection.recv(100_000):
            received += data
    except ConnectionError:
        pass
    return received


def _answer(connection: socket.socket) -> bytes:
    """One answer of JSON."""
    received = b""
    while not received.endswith(b"}") and (data := connection.recv(100_000)):
        received += data
    return received


def _wait_until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 15
    while True:
        with suppress(OSError):
            if condition():
                return
        assert time.monotonic() < until
        time.sleep(0.1)


def _is_served(served: Served) -> bool:
    return bool(served.read(bars("ab")).json()["text"] == "ab")


@contextmanager
def _dripping(connection: socket.socket, data: bytes) -> Iterator[None]:
    """Send the bytes one at a time, as long as anybody takes them."""
    stop = threading.Event()

    def drip() -> None:
        for byte in data:
            try:
                connection.sendall(bytes([byte]))
            except OSError:
                return
            if stop.wait(0.02):
                return

    thread = threading.Thread(target=drip)
    thread.start()
    yield
    stop.set()
    thread.join()


HEAD = b"POST /v1/read HTTP/1.1\r\nHost: localhost\r\n"


def test_headers_that_come_a_byte_at_a_time_are_not_waited_for(strict: Served) -> None:
    with _connect(strict) as connection, _dripping(connection, HEAD + b"X: " + b"y" * 1_000):
        assert _is_served(strict)
        answer = _rest(connection)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert answer.endswith(b'{"error": "the request\'s headers took longer than 1 s"}')


def test_a_second_request_on_a_connection_is_not_waited_for_any_longer(strict: Served) -> None:
    with _connect(strict) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b'"status":"ok"' in _answer(connection)
        with _dripping(connection, HEAD + b"X: " + b"y" * 1_000):
            assert b"HTTP/1.1 408 " in _rest(connection)


def test_a_body_that_comes_a_byte_at_a_time_is_not_waited_for(strict: Served) -> None:
    with _connect(strict) as connection, _dripping(connection, HEAD + b"Content-Length: 1000\r\n\r\n" + b"x" * 900):
        assert _is_served(strict)
        assert b"the upload took longer than 2 s" in _rest(connection)


@pytest.mark.parametrize("request_line", [b"GET /healthz", b"POST /nowhere", b"OPTIONS /v1/read"])
def test_a_body_that_nobody_asked_for_does_not_keep_the_connection(strict: Served, request_line: bytes) -> None:
    head = request_line + b" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n"
    started = time.monotonic()
    with _connect(strict) as connection:
        connection.sendall(head)
        with _dripping(connection, b"x" * 2_000):
            assert _rest(connection).startswith(b"HTTP/1.1 ")
    assert time.monotonic() - started < 10


def test_a_connection_on_which_nothing_is_asked_is_closed(strict: Served) -> None:
    with _connect(strict) as silent, _connect(strict) as kept:
        kept.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert _rest(silent) == b""
        assert _rest(kept).startswith(b"HTTP/1.1 200 ")


def test_an_answer_that_nobody_takes_does_not_keep_the_connection(strict: Served) -> None:
    connection = socket.socket()
    with connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", strict.port))
        connection.sendall(b"GET /config HTTP/1.1\r\nHost: localhost\r\n\r\n" * 500)
        connection.settimeout(0.1)
        until = time.monotonic() + 15
        ended = False
        while not ended:
            assert time.monotonic() < until
            time.sleep(0.2)
            try:
                connection.sendall(b"x")
            except TimeoutError:
                continue
            except ConnectionError:
                ended = True
    assert _is_served(strict)


def test_a_flood_is_refused_and_other_addresses_are_served(strict: Served) -> None:
    with ExitStack() as stack:
        flood = [stack.enter_context(_connect(strict, "127.0.0.9")) for _ in range(25)]
        flood[-1].sendall(HEAD + b"Content-Length: 3\r\n\r\nabc")
        answer = _rest(flood[-1])
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 1\r\n" in answer
        assert answer.endswith(b'{"error": "24 connections are open (limits.connections); try again"}')
        assert _is_served(strict)


def test_a_flood_from_many_addresses_leaves_room_for_another(strict: Served) -> None:
    with ExitStack() as stack:
        for number in range(200):
            stack.enter_context(_connect(strict, f"127.0.0.{2 + number % 8}"))
        assert _is_served(strict)
    _wait_until_served(strict)


def test_a_connection_in_use_is_not_closed_for_another(strict: Served) -> None:
    image = bars("ab")
    with ExitStack() as stack:
        used = [stack.enter_context(_connect(strict, "127.0.0.9")) for _ in range(3)]
        for connection in used:
            connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(image) + image[:10])
        _wait_until(lambda: "captcha_exp_requests_in_progress 3.0" in strict.get("/metrics").text)
        for number in range(100):
            stack.enter_context(_connect(strict, f"127.0.0.{2 + number % 8}"))
        for connection in used:
            connection.sendall(image[10:])
            assert b'"text":"ab"' in _answer(connection)


def _wait_until_served(served: Served) -> None:
    _wait_until(lambda: served.read(bars("ab")).json().get("text") == "ab")


@pytest.mark.parametrize("size", [200, 10_000])
def test_a_request_of_many_headers_is_refused_before_they_are_looked_at(served: Served, size: int) -> None:
    with _connect(served) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"a:b\r\n" * size + b"\r\n")
        answer = _rest(connection)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.endswith(b'{"error": "more than 100 headers, or more than 16384 bytes of them"}')


def test_headers_after_a_body_are_held_to_the_same(served: Served) -> None:
    with _connect(served) as connection:
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n" + b"a:b\r\n" * 10_000 + b"\r\n")
        assert b"more than 100 headers" in _rest(connection)


def test_a_body_in_thousands_of_tiny_parts_is_refused(served: Served) -> None:
    """Each costs the server as much as a large one: 256 KiB of them held up everybody for half a second."""
    with _connect(served) as connection:
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 5_000)
        answer = _rest(connection)
    assert answer.endswith(b'{"error": "the body comes in more than 1000 parts of a few bytes each"}')
    assert served.read(bars("ab")[i : i + 40] for i in range(0, len(bars("ab")), 40)).json()["text"] == "ab"


@pytest.mark.parametrize(
    "garbage", [b"\x00" * 3_000, b"GET / HTTP/1.1\r\n" * 300, b"\r\n" * 30_000, b"\xff\xfe" * 1_000 + b"\r\n\r\n"]
)
def test_garbage_behind_a_good_request_ends_the_connection(served: Served, garbage: bytes) -> None:
    with _connect(served) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" + garbage)
        connection.shutdown(socket.SHUT_WR)
        assert b'"status":"ok"' in _rest(connection)
    assert _is_served(served)


def test_uploads_in_progress_have_a_limit_together(strict: Served) -> None:
    part = HEAD + b"Content-Length: 1000000\r\n\r\n" + b"x" * 900_000
    with _connect(strict) as first, _connect(strict) as second, _connect(strict) as third:
        for connection in (first, second, third):
            connection.sendall(part)
            time.sleep(0.2)
        third.sendall(b"x" * 100_000)
        third.shutdown(socket.SHUT_WR)
        assert b"2 MiB of uploads are in progress; try again" in _rest(third)
    _wait_until_served(strict)

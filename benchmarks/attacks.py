"""The ways in which `benchmarks.hostile` attacks a server."""

import random
import socket
import struct
import threading
import zlib
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack

_HOST = "127.0.0.1"
# Each kind of attack has its own address, because limits on clients are per address.
_ADDRESS = "127.0.2.{}"
_TIMEOUT_S = 20
_HEAD = b"POST /v1/read HTTP/1.1\r\nHost: localhost\r\n"
_FLOOD = 600
_PATTERNS = [
    "(((((){99}){99}){99}){99}){99}",
    "(a|b)*a(a|b){30}",
    "((a{1,99}){1,99}){1,99}",
    "[^a]{1,500}.*.*.*",
    "(.*){50}",
]


class Attack(threading.Thread):
    """One kind of attack, repeated until it is stopped.

    Attributes:
        outcomes: how its attempts ended, by what the server answered.
    """

    def __init__(self, number: int, kind: Callable[["Attack"], str], port: int, pause_s: float) -> None:
        super().__init__(name=kind.__name__.strip("_"), daemon=True)
        self._kind, self._port, self._pause_s = kind, port, pause_s
        self._source = _ADDRESS.format(number + 1)
        self._stopped = threading.Event()
        self.random = random.Random(number)
        self.outcomes: Counter[str] = Counter()

    def run(self) -> None:
        while not self._stopped.wait(self._pause_s):
            try:
                outcome = self._kind(self)
            except OSError as error:
                outcome = type(error).__name__
            self.outcomes[outcome] += 1

    def stop(self) -> None:
        """Stop attacking."""
        self._stopped.set()

    def connect(self) -> socket.socket:
        """A connection to the server."""
        return socket.create_connection((_HOST, self._port), timeout=_TIMEOUT_S, source_address=(self._source, 0))

    def drip(self, data: bytes) -> str:
        """Send one byte at a time until the server ends the connection."""
        with self.connect() as connection:
            connection.settimeout(0.1)
            for byte in data:
                if self._stopped.is_set():
                    break
                connection.sendall(bytes([byte]))
                try:
                    return _status(connection.recv(1000))
                except TimeoutError:
                    continue
        return "stopped"

    def ask(self, *parts: bytes) -> str:
        """Send all parts at once."""
        with self.connect() as connection:
            for part in parts:
                connection.sendall(part)
            return _status(connection.recv(1000))


def _status(answer: bytes) -> str:
    return answer.split(b" ")[1].decode("latin-1") if answer.startswith(b"HTTP/") else "closed"


def _body(kind: bytes, body: bytes, path: bytes = b"/v1/read") -> bytes:
    head = b"POST %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
    return head % (path, kind, len(body)) + body


def _slow_headers(attack: Attack) -> str:
    return attack.drip(_HEAD + b"X: " + b"y" * 10_000)


def _slow_body(attack: Attack) -> str:
    return attack.drip(_HEAD + b"Content-Length: 100000\r\n\r\n" + b"z" * 10_000)


def _garbage(attack: Attack) -> str:
    return attack.ask(attack.random.randbytes(attack.random.randrange(1, 5_000)) + b"\r\n\r\n")


def _garbage_behind(attack: Attack) -> str:
    return attack.ask(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" + attack.random.randbytes(5_000))


def _huge_headers(attack: Attack) -> str:
    return attack.ask(
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"a:b\r\n" * attack.random.choice([5_000, 12_000]) + b"\r\n"
    )


def _tiny_parts(attack: Attack) -> str:
    return attack.ask(_HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 10_000)


def _foreign_host(attack: Attack) -> str:
    head = b"POST /v1/read HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\nContent-Length: 1\r\n\r\nx"
    return attack.ask(head)


def _broken_image(attack: Attack) -> str:
    return attack.ask(_body(b"image/png", b"\x89PNG\r\n\x1a\n" + attack.random.randbytes(2_000)))


def _bomb(attack: Attack) -> str:
    size = attack.random.choice([2**31 - 1, 2**15, 2_000])
    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", _ZEROS), (b"IEND", b"")]
    packed = [
        struct.pack(">I", len(one)) + kind + one + struct.pack(">I", zlib.crc32(kind + one)) for kind, one in chunks
    ]
    return attack.ask(_body(b"image/png", b"\x89PNG\r\n\x1a\n" + b"".join(packed)))


_ZEROS = zlib.compress(bytes(2**24), 9)


def _pattern(attack: Attack) -> str:
    form = '--b\r\nContent-Disposition: form-data; name="{}"{}\r\n\r\n{}\r\n'
    pattern = form.format("pattern", "", attack.random.choice(_PATTERNS))
    body = pattern + form.format("image", '; filename="x.png"', "no image") + "--b--\r\n"
    return attack.ask(_body(b"multipart/form-data; boundary=b", body.encode()))


def _lost_session(attack: Attack) -> str:
    return attack.ask(
        b"GET /gradio_api/queue/data?session_hash=%d HTTP/1.1\r\nHost: localhost\r\n\r\n"
        % attack.random.getrandbits(60)
    )


def _broken_off(attack: Attack) -> str:
    with attack.connect() as connection:
        connection.sendall(_body(b"multipart/form-data; boundary=b", b"--b\r\n" * 100, b"/gradio_api/upload")[:-50])
    return "left"


def _flood(attack: Attack) -> str:
    with ExitStack() as stack:
        for _ in range(_FLOOD):
            stack.enter_context(attack.connect())
        last = stack.enter_context(attack.connect())
        last.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return _status(last.recv(1000))


# (attack, number of attackers at the same time, seconds between their attempts)
KINDS = [
    (_slow_headers, 16, 0.05), (_slow_body, 16, 0.05), (_garbage, 1, 0.05), (_garbage_behind, 1, 0.05),
    (_huge_headers, 1, 0.1), (_tiny_parts, 1, 0.1), (_foreign_host, 1, 0.05), (_broken_image, 1, 0.05), (_bomb, 1, 0.2),
    (_lost_session, 1, 0.1), (_broken_off, 1, 0.1), (_flood, 1, 1.0),
]  # fmt: skip
# Leave these out if a server does not limit patterns: the first one stops it.
PATTERNS = [(_pattern, 1, 0.5)]

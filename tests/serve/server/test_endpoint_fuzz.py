"""A thousand malformed uploads, none of which the server may fail at."""

import http.client
import json
import random
import socket
import struct
import zlib
from collections import Counter
from collections.abc import Callable

import pytest

from tests.serve.server.conftest import Served, bars

_COUNT = 1_000
_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM", "AVIF")
Request = tuple[str, str, bytes, dict[str, str]]  # method, path, body, headers


def _truncated(rng: random.Random) -> Request:
    data = bars("abcd", rng.choice(_FORMATS))
    return "POST", "/v1/read", data[: rng.randrange(20)], {}


def _mutated(rng: random.Random) -> Request:
    """Damaged somewhere: the result may still be an image."""
    data = bytearray(bars("abcd", rng.choice(_FORMATS)))
    for _ in range(rng.randint(1, 20)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    return "POST", "/v1/read?alternatives=1", bytes(data), {"Content-Type": "image/png"}


def _random(rng: random.Random) -> Request:
    kind = rng.choice(["image/png", "text/html", "application/json", "multipart/mixed", "\xff", "image/" + "x" * 999])
    return "POST", "/v1/read", rng.randbytes(rng.randrange(300)), {"Content-Type": kind}


def _bomb(rng: random.Random) -> Request:
    return "POST", "/v1/read", bomb(rng.choice([2**31 - 1, 2**15, 5000, 0])), {}


def bomb(size: int) -> bytes:
    """A PNG of which the header promises so many pixels squared."""
    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    pixels = zlib.compress(bytes(2**20), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def _form(rng: random.Random) -> Request:
    whole = (
        b'--b\r\nContent-Disposition: form-data; name="i"; filename="x.png"\r\n\r\n' + bars("a")[:30] + b"\r\n--b--\r\n"
    )
    cut = rng.randrange(len(whole))
    body = rng.choice([whole[:cut], whole[cut:], whole.replace(b"form-data", b"f"), whole.replace(b"\r\n", b"\n"), b""])
    kind = rng.choice(["boundary=b", "boundary=", "", "boundary=" + "b" * 500, "charset=none; boundary=b"])
    return "POST", "/v1/read", body, {"Content-Type": f"multipart/form-data; {kind}"}


def _parameter(rng: random.Random) -> Request:
    name = rng.choice(["pattern", "alphabet", "min_length", "max_length", "alternatives", "lexicon", "%00", ""])
    value = rng.choice(
        ["%5B", "((((", "%FF", "-1", "1e9", "9" * 30, "x" * 2000, "a{1,99999}", "(a|b)*a(a|b){30}", "%00"]
    )
    return "POST", f"/v1/read?{name}={value}", b"", {}


def _elsewhere(rng: random.Random) -> Request:
    path = rng.choice(
        ["/v1/read", "/v1", "/v1/read/", "/healthz", "/metrics", "//", "/v1/read/../../etc/passwd", "/%00"]
    )
    return rng.choice(["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "NONSENSE"]), path, b"x", {}


def _headers(rng: random.Random) -> Request:
    name = rng.choice(["X-Large", "Cookie", "Content-Type", "Content-Encoding", "Range"])
    return "POST", "/v1/read", b"x", {name: rng.choice(["y" * 5_000, "gzip", "bytes=0-", "\x80"])}


_KINDS: list[Callable[[random.Random], Request]] = [
    _truncated, _mutated, _random, _bomb, _form, _parameter, _elsewhere, _headers,
]  # fmt: skip


def _send(served: Served, request: Request) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    try:
        method, path, body, headers = request
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_a_thousand_malformed_uploads_are_refused_and_the_next_good_one_is_read(served: Served) -> None:
    rng = random.Random(0)
    statuses: Counter[int] = Counter()
    for number in range(_COUNT):
        kind = _KINDS[number % len(_KINDS)]
        request = kind(rng)
        status, body = _send(served, request)
        assert body, (request, status)
        answer = json.loads(body)
        statuses[status] += 1
        if kind is _mutated and status == 200:
            assert set(answer) == {"text", "confidence", "alternatives", "model"}
            continue
        assert 400 <= status < 500, (request, status, body)
        assert set(answer) <= {"error", "model", "results"}, (request, answer)
        assert "\n" not in answer["error"]
    assert {400, 404, 405, 415, 422} <= set(statuses), statuses
    assert served.read(bars("abba")).json()["text"] == "abba"


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
        b"no http\r\n\r\n",
        b"POST /v1/read HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        b"POST /v1/read HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /v1/read HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 70_000,
    ],
)
def test_what_is_no_http_is_refused_as_json(served: Served, sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as connection:
        connection.sendall(sent)
        answer = b"".join(iter(lambda: connection.recv(10_000), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert set(json.loads(body)) == {"error"}
    assert served.read(bars("ab")).json()["text"] == "ab"

"""What happens to a client that asks for too much."""

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pytest
import requests
from PIL import Image

from captcha_exp.serve.request_limits import Rates
from tests.serve.server.conftest import Served, bars


@pytest.fixture(scope="module")
def tight(serve: Callable[..., Served]) -> Served:
    return serve(
        "limits.upload_mib=0.01", "limits.upload_s=1", "limits.images_per_request=2", "limits.pixels=2000",
        "limits.requests_per_second=null", "limits.concurrent=2",
    )  # fmt: skip


def test_an_upload_above_the_limit_is_refused_and_the_next_request_answered(tight: Served) -> None:
    for size in (11_000, 40_000, 300_000):
        answer = tight.read(b"x" * size)
        assert answer.status_code == 413
        assert answer.json()["error"] == "an upload may have 0.01 MiB (limits.upload_mib)"
        answer = tight.read(files={"image": ("x.png", b"x" * size)})
        assert answer.status_code == 413
    assert tight.read(bars("a")).json()["text"] == "a"


def test_a_body_of_unknown_length_is_counted(tight: Served) -> None:
    answer = tight.read(b"x" * 1000 for _ in range(20))
    assert answer.status_code == 413


def test_more_images_than_a_request_may_have_are_refused(tight: Served) -> None:
    answer = tight.read(files=[("image", (f"{n}.png", bars("a"))) for n in range(3)])
    assert answer.status_code == 413
    assert answer.json()["error"] == "a request may have 2 images (limits.images_per_request)"


def test_an_image_of_too_many_pixels_is_refused_by_its_header(tight: Served) -> None:
    data = BytesIO()
    Image.new("1", (50, 41)).save(data, "PNG")
    answer = tight.read(data.getvalue())
    assert answer.status_code == 422
    assert answer.json()["error"] == "50x41 is more than 2000 pixels"


def _unfinished(served: Served) -> socket.socket:
    """A connection that has begun a request and does not go on."""
    connection = socket.create_connection(("127.0.0.1", served.port))
    connection.sendall(b"POST /v1/read HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nx")
    return connection


def test_a_slow_upload_is_ended(tight: Served) -> None:
    with _unfinished(tight) as connection:
        connection.settimeout(20)
        answer = b"".join(iter(lambda: connection.recv(10_000), b""))  # until the server closes
    assert answer.startswith(b"HTTP/1.1 408")
    assert b'{"error":"the upload took longer than 1 s"}' in answer


def test_more_requests_at_once_are_refused_and_told_when_to_come_again(tight: Served) -> None:
    with _unfinished(tight), _unfinished(tight):
        _wait_until(lambda: tight.get("/readyz").status_code == 503)
        answer = tight.read(bars("a"))
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        assert answer.json()["error"] == "2 requests are in progress; try again"
        assert tight.get("/healthz").status_code == 200
    _wait_until(lambda: tight.get("/readyz").status_code == 200)
    assert tight.read(bars("a")).json()["text"] == "a"


def test_a_client_has_its_rate_and_another_its_own(serve: Callable[..., Served]) -> None:
    slow = serve("limits.requests_per_second=0.01")
    assert slow.read(bars("a")).status_code == 200
    answer = slow.read(bars("a"))
    assert answer.status_code == 429
    assert 90 <= int(answer.headers["retry-after"]) <= 100
    assert answer.json()["error"] == "more than 0.01 requests a second from one address"
    assert slow.read(bars("a"), headers={"X-Forwarded-For": "10.0.0.1"}).status_code == 429
    assert slow.get("/healthz").status_code == 200
    with requests.Session() as other:
        other.mount("http://", From("127.0.0.2"))
        assert other.post(f"{slow.url}/v1/read", data=bars("a"), timeout=30).status_code == 200


class From(requests.adapters.HTTPAdapter):
    """Connects from an address."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *arguments: object, **more: object) -> None:
        super().init_poolmanager(*arguments, **more, source_address=(self._address, 0))  # type: ignore[arg-type]


def test_a_rate_saves_up_one_second() -> None:
    now = [0.0]
    rates = Rates(4, lambda: now[0])
    assert [rates.wait_s("a") for _ in range(5)] == [0, 0, 0, 0, 0.25]
    now[0] = 0.25
    assert [rates.wait_s("a") for _ in range(2)] == [0, 0.25]
    assert rates.wait_s("b") == 0
    now[0] = 100
    assert [rates.wait_s("a") for _ in range(5)] == [0, 0, 0, 0, 0.25]


def test_clients_that_come_no_more_are_forgotten() -> None:
    now = [0.0]
    rates = Rates(1, lambda: now[0])
    for number in range(30_000):
        now[0] += 0.001
        assert rates.wait_s(str(number)) == 0
    assert len(rates._left) <= 10_000


def test_no_request_of_many_clients_is_lost(served: Served) -> None:
    texts = ["a", "ab", "abc", "dcba", "aa", ""]

    def client(number: int) -> list[str]:
        with requests.Session() as session:
            return [
                session.post(f"{served.url}/v1/read", data=bars(texts[n % len(texts)]), timeout=60).json()["text"]
                for n in range(number, 512, 16)
            ]

    with ThreadPoolExecutor(16) as clients:
        read = list(clients.map(client, range(16)))
    assert read == [[texts[n % len(texts)] for n in range(number, 512, 16)] for number in range(16)]


def _wait_until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until
        threading.Event().wait(0.02)

"""The routes behind the page, used by what is no page."""

import gzip
import logging
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image, PngImagePlugin

from tests.serve.server.conftest import Served, bars
from tests.serve.server.test_endpoint_fuzz import bomb
from tests.serve.server.test_upload_room import event, reading, upload


def _animated() -> bytes:
    """A small file of ten thousand frames."""
    data = BytesIO()
    frame = Image.new("1", (1000, 1000))
    frame.save(data, "GIF", save_all=True, append_images=[frame] * 100)
    return data.getvalue() * 2


def _texts() -> bytes:
    """A PNG whose comment is 64 MiB long."""
    data, text = BytesIO(), PngImagePlugin.PngInfo()
    text.add_text("comment", "x" * 2**26, zip=True)
    Image.new("L", (48, 8)).save(data, "PNG", pnginfo=text)
    return data.getvalue()


def _large(kind: str) -> bytes:
    """As many pixels as may be promised, all alike: kilobytes that become 64 MiB."""
    data = BytesIO()
    Image.new("L", (8192, 8192)).save(data, kind)
    return data.getvalue()


_BOMBS: dict[str, Callable[[], bytes]] = {
    "png-2147483647": lambda: bomb(2**31 - 1),
    "png-32768": lambda: bomb(2**15),
    "png-5000-without-end": lambda: bomb(5000),
    "png-of-64-MiB": lambda: _large("PNG"),
    "gif-of-64-MiB": lambda: _large("GIF"),
    "webp-of-64-MiB": lambda: _large("WEBP"),
    "tiff-header": lambda: bytes.fromhex("49492a000800000001000001040001000000ffffff7f00000000"),
    "ppm-header": lambda: b"P6 99999 99999 255\n",
    "frames": _animated,
    "comment": _texts,
}  # fmt: skip


def _memory_mib() -> float:
    """The most that this process has held so far, since it was last asked."""
    status = Path("/proc/self/status").read_text()
    most = next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))
    Path("/proc/self/clear_refs").write_text("5")
    return most


@pytest.mark.parametrize("name", _BOMBS)
def test_an_image_without_end_is_refused_on_the_page_as_well(served: Served, name: str) -> None:
    data = _BOMBS[name]()
    path = upload(served, "x.png", data)
    _memory_mib()
    before = _memory_mib()
    started = time.monotonic()
    answer = event(served, path, session="bomb")
    assert "'success': True" in answer
    assert "This file cannot be read" in answer or (name in {"frames", "comment"} and "Read by" in answer)
    assert time.monotonic() - started < 20
    assert _memory_mib() - before < 60
    assert served.read(bars("ab")).json()["text"] == "ab"


def test_a_compressed_body_is_not_unpacked(served: Served) -> None:
    body = gzip.compress(bytes(50 * 2**20))
    answer = served.read(body, headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 422
    answer = requests.post(
        f"{served.url}/gradio_api/queue/join", data=body, headers={"Content-Encoding": "gzip"}, timeout=30
    )
    assert answer.status_code in {400, 413}


def _join(served: Served, session: str, number: int) -> requests.Response:
    body = {"data": [None, "", "", "", ""], "fn_index": number, "session_hash": session}
    return requests.post(f"{served.url}/gradio_api/queue/join", json=body, timeout=60)


def test_more_tabs_than_can_wait_are_told_so_and_the_endpoint_answers_on(
    serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    served = serve("limits.requests_per_second=null", "limits.concurrent=6")
    number, gate = reading(served), threading.Event()
    submit = served.application._batcher.submit

    def submit_to_a_slow_model(*given: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        threading.Thread(
            target=lambda: (gate.wait(30), future.set_result(submit(*given).result())), daemon=True
        ).start()
        return future

    monkeypatch.setattr(served.application._batcher, "submit", submit_to_a_slow_model)
    path = upload(served, "x.png", bars("ab"))
    file = {"path": path, "meta": {"_type": "gradio.FileData"}}

    def join(tab: int) -> requests.Response:
        body = {"data": [file, "", "", "", ""], "fn_index": number, "session_hash": f"tab{tab}"}
        return requests.post(f"{served.url}/gradio_api/queue/join", json=body, timeout=60)

    answers = [join(tab) for tab in range(40)]
    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) == {200, 503}
    assert 6 <= statuses[200] <= 13
    assert answers[-1].json()["detail"].startswith("Queue is full. Max size is 6")
    assert served.get("/readyz").status_code == 200
    gate.set()
    with requests.get(f"{served.url}/gradio_api/queue/data?session_hash=tab0", stream=True, timeout=30) as events:
        assert any(b"Read by m-bars" in line for line in events.iter_lines())


@pytest.mark.parametrize("session", ["x" * 65, "a b", "", 5, {"a": 1}, ["x"]])
def test_sessions_have_short_names_because_they_are_remembered(served: Served, session: object) -> None:
    answer = _join(served, session, reading(served))  # type: ignore[arg-type]
    assert answer.status_code == 400
    assert answer.json() == {"error": "session_hash must be up to 64 letters and digits"}
    for route in ("upload_progress?upload_id=", "queue/data?session_hash=y&upload_id="):
        assert served.get(f"/gradio_api/{route}{'x' * 65}").status_code == 400


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"x", 400), (b"[]", 400), (b'{"data":', 400), (b"[" * 100_000, 400), (b'{"data": ["' + b"x" * 200_000, 413)],
)  # fmt: skip
def test_events_that_no_page_tells_are_refused(served: Served, body: bytes, status: int) -> None:
    for route in ("queue/join", "run/predict", "cancel", "reset"):
        answer = requests.post(f"{served.url}/gradio_api/{route}", data=body, timeout=30)
        assert answer.status_code == status
        assert set(answer.json()) == {"error"}


def test_who_waits_for_no_event_is_told_so_and_nothing_is_logged(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    """Gradio raised an error within the answer: a traceback in the log for each."""
    answer = served.get("/gradio_api/queue/data?session_hash=nobody")
    assert (answer.status_code, answer.json()) == (404, {"error": "no event of this session waits"})
    assert [one for one in caplog.records if one.levelno >= logging.ERROR] == []


def test_sessions_and_uploads_that_nobody_asks_about_are_forgotten(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("captcha_exp.serve.gradio_limits._REMEMBERED", 10)
    from gradio.routes import file_upload_statuses

    number = reading(served)
    with ThreadPoolExecutor(4) as clients:
        assert {clients.submit(_join, served, f"gone{n}", number).result().status_code for n in range(20)} == {200}
    for n in range(20):
        files = {"files": ("x.png", b"1")}
        url = f"{served.url}/gradio_api/upload?upload_id=gone{n}"
        assert requests.post(url, files=files, timeout=30).status_code == 200
    served.read(bars("ab"))
    assert len(served.application._gradio.get_blocks()._queue.pending_event_ids_session) <= 11
    assert len(file_upload_statuses._statuses) <= 11


def test_an_upload_of_many_files_does_not_open_them_all(served: Served) -> None:
    files = [("files", (f"{n}.png", b"1")) for n in range(65)]
    answer = requests.post(f"{served.url}/gradio_api/upload", files=files, timeout=30)
    assert answer.status_code == 413
    assert answer.json()["detail"] == "an upload may have 64 files (limits.images_per_request)"
    assert requests.post(f"{served.url}/gradio_api/upload", files=files[:64], timeout=30).status_code == 200


def test_uploads_of_many_files_at_once_have_a_limit_together(served: Served) -> None:
    file = '--b\r\nContent-Disposition: form-data; name="files"; filename="x"\r\n\r\n1\r\n'
    head = (
        "POST /gradio_api/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n"
        f"Content-Type: multipart/form-data; boundary=b\r\n\r\n{60 * file}"
    )
    connections = [socket.create_connection(("127.0.0.1", served.port), timeout=30) for _ in range(9)]
    try:
        for connection in connections:
            connection.sendall(head.encode())
        answers = [_begun(connection) for connection in connections]
    finally:
        for connection in connections:
            connection.close()
    assert sum(b"too many files are being uploaded; try again" in answer for answer in answers) >= 1
    assert sum(answer == b"" for answer in answers) >= 7
    assert served.read(bars("ab")).json()["text"] == "ab"


def _begun(connection: socket.socket) -> bytes:
    connection.settimeout(0.5)
    try:
        return connection.recv(10_000)
    except TimeoutError:
        return b""

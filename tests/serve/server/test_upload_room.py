"""What the routes behind the page must not give away or do."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from tests.serve.server.conftest import Served, bars


def upload(served: Served, name: str, data: bytes) -> str:
    """The path under which an upload is kept."""
    answer = requests.post(f"{served.url}/gradio_api/upload", files={"files": (name, data)}, timeout=30)
    assert answer.status_code == 200
    return str(answer.json()[0])


def _unqueued(served: Served, path: str) -> str:
    """The same event by the route that does not queue."""
    file = {"path": path, "meta": {"_type": "gradio.FileData"}}
    body = {"data": [file, "", "", "", ""], "fn_index": reading(served)}
    return requests.post(f"{served.url}/gradio_api/run/predict", json=body, timeout=30).text


def reading(served: Served) -> int:
    """The number of the event that reads one picture."""
    events = served.get("/config").json()["dependencies"]
    return next(int(one["id"]) for one in events if len(one["inputs"]) == 5 and len(one["outputs"]) == 1)


def event(served: Served, path: str, url: str | None = None, session: str = "test") -> str:
    """What the page's event for one picture ends with, given a file as its browser would give it."""
    file = {"path": path, "url": url, "meta": {"_type": "gradio.FileData"}}
    body = {"data": [file, "", "", "", ""], "fn_index": reading(served), "session_hash": session}
    joined = requests.post(f"{served.url}/gradio_api/queue/join", json=body, timeout=30)
    assert joined.status_code == 200
    with requests.get(f"{served.url}/gradio_api/queue/data?session_hash={session}", stream=True, timeout=30) as events:
        for line in events.iter_lines():
            if b"process_completed" in line:
                return str(json.loads(line.removeprefix(b"data: ")))
    raise AssertionError("the event did not end")


@pytest.mark.parametrize(
    "prefix", ["/gradio_api/file=", "/file=", "/file/", "/gradio_api/file/", "/static/", "/assets/"]
)
@pytest.mark.parametrize(
    "path",
    [
        "{here}",
        "../../../../../../{here}",
        "..%2f..%2f..%2f..%2f..{here}",
        "%2e%2e/%2e%2e/%2e%2e{here}",
        "file://{here}",
    ],
)
def test_no_file_of_the_machine_is_served(served: Served, tmp_path: Path, prefix: str, path: str) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("a secret")
    for here in (str(secret), "/etc/hostname", os.path.abspath("pyproject.toml")):
        request = requests.Request("GET", served.url)
        prepared = request.prepare()
        prepared.url = served.url + prefix + path.format(here=here)  # as it is, not tidied
        with requests.Session() as session:
            answer = session.send(prepared, timeout=30)
        assert 400 <= answer.status_code < 500
        assert "a secret" not in answer.text


def test_an_upload_is_shown_to_who_knows_its_address(served: Served) -> None:
    path = upload(served, "x.png", bars("ab"))
    assert served.get(f"/gradio_api/file={path}").content == bars("ab")


def test_an_upload_stays_in_its_folder_whatever_it_is_called(served: Served) -> None:
    folder = Path(upload(served, "x.png", b"1")).parents[1]
    for name in ("../../../up.png", "/etc/up.png", "..\\up.png", "a\x00b.png"):
        assert Path(upload(served, name, b"1")).resolve().is_relative_to(folder)


def test_the_page_reads_uploads_alone(served: Served, tmp_path: Path) -> None:
    """Mounted, Gradio copies any file that a request names into the folder of uploads, from where it serves it."""
    assert "Read by m-bars" in event(served, upload(served, "x.png", bars("ab")))
    secret = tmp_path / "secret.png"
    secret.write_bytes(bars("dcba"))
    for path in (str(secret), "/etc/hostname"):
        answer = event(served, path)
        assert "Read by" not in answer
        assert "'success': False" in answer
        assert "Read by" not in _unqueued(served, path)


def test_the_page_fetches_nothing_from_elsewhere(served: Served) -> None:
    for address in (f"{served.url}/healthz", "http://198.51.100.1/x.png", "https://198.51.100.1/x.png"):
        answer = event(served, address, address)
        assert "Only uploaded files are read." in answer or "'success': False" in answer
        assert "Read by" not in answer
        for route in ("/gradio_api/file=", "/gradio_api/proxy="):
            assert served.get(route + address).status_code == 404


@pytest.mark.parametrize(
    "path",
    ["/gradio_api/openapi.json", "/gradio_api/deep_link", "/monitoring", "/monitoring/summary", "/gradio_api/runs",
     "/gradio_api/vibe-code/", "/gradio_api/run-history/records", "/gradio_api/dev/reload", "/docs", "/login"],
)  # fmt: skip
def test_routes_that_the_page_does_not_need_are_not_there(served: Served, path: str) -> None:
    for method in ("GET", "POST"):
        answer = requests.request(method, served.url + path, timeout=30)
        assert answer.status_code == 404
        assert answer.json() == {"error": "Not Found"}


def test_an_upload_to_the_page_has_the_same_limit(served: Served) -> None:
    answer = requests.post(f"{served.url}/gradio_api/upload", files={"files": ("x", bytes(9 * 2**20))}, timeout=30)
    assert answer.status_code == 413


def test_uploads_are_removed_after_a_while_and_examples_stay(
    serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("captcha_exp.serve.upload_room.KEPT_S", 1)
    monkeypatch.setattr("captcha_exp.serve.upload_room.EVERY_S", 1)
    served = serve("limits.requests_per_second=null")
    path = upload(served, "x.png", bars("ab") + b"another")
    folder = Path(path).parents[1]
    before = {one for one in folder.iterdir() if one.is_file()}
    begun = b'--b\r\nContent-Disposition: form-data; name="files"; filename="x"\r\n\r\nbegun and not ended'
    form = {"Content-Type": "multipart/form-data; boundary=b"}
    requests.post(f"{served.url}/gradio_api/upload", data=begun, headers=form, timeout=30)
    (in_part,) = {one for one in folder.iterdir() if one.is_file()} - before
    assert "Read by m-bars" in event(served, path)
    until = time.monotonic() + 30
    while served.get(f"/gradio_api/file={path}").status_code == 200 or in_part.exists():
        assert time.monotonic() < until
        time.sleep(0.1)
    examples = [
        one["props"]["samples"] for one in served.get("/config").json()["components"] if one["type"] == "dataset"
    ]
    kept = examples[0][0][0]["path"]
    assert served.get(f"/gradio_api/file={kept}").content == bars("abc")


def test_uploads_to_the_page_cannot_fill_the_disk(serve: Callable[..., Served]) -> None:
    served = serve("limits.requests_per_second=null", "limits.upload_mib=0.05")
    statuses = []
    for number in range(60):
        files = {"files": ("x.png", number.to_bytes(4, "big") * 10_000)}
        statuses.append(requests.post(f"{served.url}/gradio_api/upload", files=files, timeout=30).status_code)
    assert 30 < statuses.index(503) < 60
    assert set(statuses[statuses.index(503) :]) == {503}
    assert served.read(bars("ab")).json()["text"] == "ab"

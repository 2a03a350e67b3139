"""A web page of another origin, in a real browser."""

import functools
import json
import os
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.serve.server.conftest import Served

_ATTACK = """<form action="TARGET/v1/read" method="post" enctype="multipart/form-data"><input name="pattern"></form>
<iframe id="frame" src="TARGET/"></iframe>
<script>
const form = () => { const f = new FormData(); f.append("files", new Blob(["x"]), "x.png"); return f }
const read = (url, more) => fetch(url, more).then(got => got.type === "opaque" ? "opaque" : got.text(), () => "failed")
const load = (tag, url) => new Promise(tell => {
  const one = document.createElement(tag)
  one.onload = () => tell("loaded"); one.onerror = () => tell("error"); one.src = url; document.body.append(one)
})
Promise.all([
  read("TARGET/v1/read", {method: "POST", body: "x", headers: {"Content-Type": "image/png"}}),
  read("TARGET/v1/read", {method: "POST", body: form()}),
  read("OTHER/config"),
  read("TARGET/v1/read", {method: "POST", body: form(), mode: "no-cors"}),
  read("TARGET/gradio_api/upload", {method: "POST", body: form(), mode: "no-cors"}),
  read("OTHER/gradio_api/queue/join", {method: "POST", body: '{"data": [], "fn_index": 1}', mode: "no-cors"}),
  read("TARGET/gradio_api/cancel", {method: "POST", body: "{}", mode: "no-cors", credentials: "include"}),
  load("img", "TARGET/gradio_api/heartbeat/evil"),
  load("script", "OTHER/gradio_api/queue/data?session_hash=evil"),
]).then(results => { window.results = results })
</script>"""


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Serve a page of another origin on loopback; its address."""
    handler = functools.partial(_Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()

        def write(page: str) -> str:
            (tmp_path / "evil.html").write_text(page)
            return f"http://127.0.0.1:{server.server_port}/evil.html"

        yield write
        server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def test_a_page_elsewhere_in_a_real_browser_gets_nothing_and_has_nothing_done(
    browser: Browser, served: Served, elsewhere: Callable[[str], str]
) -> None:
    """It tries what needs no leave (forms, `no-cors`, pictures, streams, frames) and what does."""
    before, kept = _requests(served), _uploads()
    address = elsewhere(
        _ATTACK.replace("TARGET", served.url).replace("OTHER", served.url.replace("127.0.0.1", "localhost"))
    )
    page = browser.new_page()
    page.goto(address)
    page.wait_for_function("window.results && window.results.length === 9", timeout=20_000)
    assert page.evaluate("window.results") == ["failed"] * 7 + ["error"] * 2
    page.frame_locator("#frame").locator("body").wait_for(state="attached")
    assert "ce-model" not in " ".join(frame.content() for frame in page.frames[1:])
    with page.expect_navigation():
        page.evaluate("document.forms[0].submit()")
    assert json.loads(page.locator("body").inner_text())["error"].startswith("pages of 'http://127.0.0.1:")
    page.close()
    after = _requests(served)
    answered = {
        labels: number - before.get(labels, 0) for labels, number in after.items() if number != before.get(labels)
    }
    assert {labels for labels in answered if 'status="403"' not in labels} == {
        '{route="page",status="200"}'
    }  # the frame
    assert sum(number for labels, number in answered.items() if 'status="403"' in labels) >= 10
    assert _uploads() == kept


def _requests(served: Served) -> dict[str, float]:
    """Answers so far by route and status, those of this question aside."""
    lines = [line.split(" ") for line in served.get("/metrics").text.splitlines()]
    return {
        line[0].removeprefix("captcha_exp_requests_total"): float(line[1])
        for line in lines
        if line[0].startswith("captcha_exp_requests_total") and "/metrics" not in line[0]
    }


def _uploads() -> set[Path]:
    """What is kept of uploads to the page."""
    return set(Path(os.environ["GRADIO_TEMP_DIR"]).rglob("*"))

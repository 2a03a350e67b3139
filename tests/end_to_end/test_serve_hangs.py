"""A server under attack by patterns, and one whose reading hangs."""

import re
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.end_to_end.conftest import Folder
from tests.serve.server.conftest import bars, write_model

_WHITE = bars("")
# The command with a fault of ONNX Runtime: it never returns from an image that is all white.
_HANGING = """
import sys, time
import onnxruntime

class Session(onnxruntime.InferenceSession):
    def run(self, names, images, *options):
        if any((image.min(axis=(1, 2, 3)) > 0.99).any() for image in images.values()):
            time.sleep(3600)
        return super().run(names, images, *options)

onnxruntime.InferenceSession = Session
from captcha_exp.serve.__main__ import main
sys.exit(main())
"""
_ATTACKS = [
    "(((((){99}){99}){99}){99}){99}",
    "(" * 10 + ")" + "{99})" * 9 + "{99}",
    "((((((((|){99}){99}){99}){99}){99}){99}){99}){99}",
    "(((((((((a?){99}){99}){99}){99}){99}){99}){99}){99}){99}",
    "((((((((([^a]|){9,}){99}){99}){99}){99}){99}){99}){99}){0,4294967294}",
    "[[a](" + "(.*a.{9}|" * 15 + ")" * 16,
]


def _started(folder: Folder, model: Path, module: str = "captcha_exp.serve") -> tuple["subprocess.Popen[str]", str]:
    server = folder.start(f"model={model}", "port=0", "limits.requests_per_second=null", module=module)
    assert server.stdout is not None
    server.stdout.readline()
    address = re.search(r"http://[^ /]+", server.stdout.readline())
    assert address is not None
    return server, address[0]


def _read(address: str, image: bytes, timeout_s: float = 30, **fields: str) -> requests.Response:
    return requests.post(f"{address}/v1/read", files={"image": ("a.png", image)}, data=fields, timeout=timeout_s)


def test_a_pattern_without_end_stops_nobody_and_the_server_ends(folder: Folder) -> None:
    server, address = _started(folder, write_model(folder.path / "bars.onnx"))
    with ThreadPoolExecutor(len(_ATTACKS)) as attackers:
        attacks = [attackers.submit(_read, address, bars("a"), pattern=pattern) for pattern in _ATTACKS]
        for _ in range(5):
            assert _read(address, bars("abba")).json()["results"][0]["text"] == "abba"
        answers = [attack.result() for attack in attacks]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 400, 400, 400]
    for pattern, answer in zip(_ATTACKS[3:], answers[3:], strict=True):
        assert answer.json()["error"].startswith(f"pattern={pattern} is too large: "), answer.text
    assert requests.get(f"{address}/readyz", timeout=30).status_code == 200
    server.send_signal(signal.SIGTERM)
    out, err = server.communicate(timeout=20)
    assert (server.returncode, out, err) == (0, "", "")


@pytest.fixture
def hanging(folder: Folder) -> tuple["subprocess.Popen[str]", str]:
    (folder.path / "hanging_serve.py").write_text(_HANGING)
    return _started(folder, write_model(folder.path / "bars.onnx"), "hanging_serve")


def test_reading_that_hangs_holds_up_neither_others_nor_the_end_and_is_told(
    hanging: tuple["subprocess.Popen[str]", str],
) -> None:
    server, address = hanging
    with ThreadPoolExecutor(1) as client:
        stuck = client.submit(_read, address, _WHITE, 60, pattern="a*")
        _wait_until(lambda: _in_progress(address) == 1)
        # What follows on the same way waits for a while, then nobody waits for it any more.
        with pytest.raises(requests.ReadTimeout):
            _read(address, bars("ab"), 1, pattern="[ab]*")
        _wait_until(lambda: _in_progress(address) == 1)
        assert _read(address, bars("abba")).json()["results"][0]["text"] == "abba"
        _wait_until(lambda: requests.get(f"{address}/readyz", timeout=30).status_code == 503)
        assert re.fullmatch(
            r"reading hangs, for 1\d s now", requests.get(f"{address}/readyz", timeout=30).json()["error"]
        )
        assert _read(address, bars("abba")).status_code == 200
        told = time.monotonic()
        server.send_signal(signal.SIGTERM)
        out, err = server.communicate(timeout=30)
        assert time.monotonic() - told < 15, "5 s of grace, and what a busy machine adds"
        assert (server.returncode, out, err) == (0, "", "warning: reading hangs and is left undone\n")
        answer = stuck.result()
    assert (answer.status_code, answer.json()) == (503, {"error": "the server is stopping"})


def _in_progress(address: str) -> int:
    text = requests.get(f"{address}/metrics", timeout=30).text
    found = re.search(r"captcha_exp_requests_in_progress (\d+)", text)
    assert found is not None
    return int(found[1])


def _wait_until(condition) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        threading.Event().wait(0.1)

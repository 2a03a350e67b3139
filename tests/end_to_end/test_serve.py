"""The server as a command: start, signals, what it refuses."""

import re
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import requests

from tests.end_to_end.conftest import Folder
from tests.serve.server.conftest import bars, write_model

SERVE = "captcha_exp.serve"


def started(folder: Folder, *arguments: str) -> tuple["subprocess.Popen[str]", str]:
    """A server of the bars once it tells its address."""
    model = write_model(folder.path / "bars.onnx")
    server = folder.start(f"model={model}", "port=0", *arguments, module=SERVE)
    assert server.stdout is not None
    lines = [server.stdout.readline(), server.stdout.readline()]
    assert lines[0] == "model m-bars on ONNX Runtime\n"
    address = re.search(r"page (http://\S+)   endpoint \1/v1/read", lines[1])
    assert address is not None, lines
    return server, address[1]


def test_it_serves_on_loopback_without_tensorflow_or_mlflow_and_ends_with_130_on_ctrl_c(folder: Folder) -> None:
    server, address = started(folder)
    assert address.startswith("http://127.0.0.1:")
    assert requests.post(f"{address}/v1/read", data=bars("abba"), timeout=30).json()["text"] == "abba"
    assert "Read short text in images" in requests.get(address, timeout=30).text
    loaded = Path(f"/proc/{server.pid}/maps").read_text()
    assert "onnxruntime" in loaded
    assert "tensorflow" not in loaded
    assert "sqlalchemy" not in loaded  # which comes with MLflow
    server.send_signal(signal.SIGINT)
    out, err = server.communicate(timeout=60)
    assert (server.returncode, out, err) == (130, "", "")
    assert sorted(path.name for path in folder.path.iterdir()) == ["bars.onnx"]


def test_what_is_in_progress_is_answered_after_sigterm_and_an_open_page_does_not_hold_it(folder: Folder) -> None:
    server, address = started(folder)
    port = int(address.rpartition(":")[2])
    image = bars("dcba")
    with (
        requests.get(f"{address}/gradio_api/heartbeat/abc", stream=True, timeout=60),
        socket.create_connection(("127.0.0.1", port)) as connection,
    ):
        head = f"POST /v1/read HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(image)}\r\n\r\n"
        connection.sendall(head.encode() + image[:10])
        _wait_until_in_progress(address)
        server.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        connection.sendall(image[10:])
        answer = b"".join(iter(lambda: connection.recv(10_000), b""))
        assert b'"text":"dcba"' in answer
        out, err = server.communicate(timeout=60)
    assert (server.returncode, out, err) == (0, "", "")


def _wait_until_in_progress(address: str) -> None:
    until = time.monotonic() + 30
    while "captcha_exp_requests_in_progress 1.0" not in requests.get(f"{address}/metrics", timeout=30).text:
        assert time.monotonic() < until
        threading.Event().wait(0.02)


def test_a_port_in_use_is_one_line(folder: Folder) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = folder.run("model=x.onnx", f"port={port}", module=SERVE)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        f"error: port={port} on 127.0.0.1 cannot be opened (Address already in use); "
        "choose another with `port=NUMBER`.\n"
    )


def test_a_model_that_is_not_there_is_one_line(folder: Folder) -> None:
    result = folder.run("model=x.onnx", "port=0", module=SERVE)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "error: model=x.onnx does not exist.\n"
    result = folder.run("port=0", module=SERVE)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        f"error: model=models:/captcha@champion is not known: there is no store {folder.path}/mlruns/mlflow.db; "
        "set `root` or `tracking.uri`.\n"
    )
    assert list(folder.path.iterdir()) == []


def test_a_public_host_must_be_typed_and_is_warned_of(folder: Folder) -> None:
    result = folder.run("model=x.onnx", "port=0", "host=0.0.0.0", module=SERVE)
    assert result.returncode == 2
    assert result.stderr.startswith(
        "warning: host=0.0.0.0 lets every machine that reaches this one use the server, which asks no password\n"
    )


def test_values_that_cannot_be_used_are_named(folder: Folder) -> None:
    for argument, message in (
        ("port=70000", "port must be from 0 to 65535, not 70000"),
        ("limits.pixels=99999999", "limits.pixels must be from 1 to 16777216, not 99999999"),
        ("examples=nowhere", "examples=nowhere is no folder."),
    ):
        result = folder.run(argument, module=SERVE)
        assert (result.returncode, result.stdout) == (2, "")
        assert message in result.stderr
        assert len(result.stderr.splitlines()) == 1

"""The server as a command, attacked."""

import resource
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack

import requests

from benchmarks.hostile import Hostile
from tests.end_to_end.conftest import Folder
from tests.end_to_end.test_serve import SERVE, started
from tests.serve.server.conftest import bars, write_model
from tests.serve.server.test_request_limits import From


def test_every_attack_at_once_leaves_others_served_the_log_empty_and_the_end_in_time(folder: Folder) -> None:
    server, address = started(folder, "limits.stalled_s=1", "limits.upload_s=2", "limits.connections=100")
    with Hostile(int(address.rpartition(":")[2]), with_patterns=False) as hostile, requests.Session() as other:
        # From an address of its own: the attacks use up what one address may ask for.
        other.mount("http://", From("127.0.0.2"))
        until = time.monotonic() + 5
        while time.monotonic() < until:
            answer = other.post(f"{address}/v1/read", data=bars("abba"), timeout=20)
            assert answer.json().get("text") == "abba", answer.text
            time.sleep(0.02)  # one address may ask a hundred times a second
        server.send_signal(signal.SIGTERM)
        out, err = server.communicate(timeout=40)
    assert (server.returncode, out, err) == (0, "", "")
    told = "\n".join(hostile.lines())
    for line in ("slow headers: ", "slow body: ", "flood: ", "huge headers: "):
        assert line in told
    for status in (400, 403, 404, 408, 422):
        assert f" x {status}" in told


def test_far_more_connections_than_files_may_be_open_do_not_stop_it(folder: Folder) -> None:
    server, address = started(folder, "limits.connections=40")
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (300, 300))
    port = int(address.rpartition(":")[2])
    with ExitStack() as stack:
        flood = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(700)]
        assert len(flood) == 700
        with requests.Session() as other:
            other.mount("http://", From("127.0.0.2"))
            assert other.post(f"{address}/v1/read", data=bars("abba"), timeout=20).json()["text"] == "abba"
        one = socket.create_connection(("127.0.0.1", port), timeout=20)
        one.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert one.recv(1_000).startswith((b"HTTP/1.1 503 ", b""))
    server.send_signal(signal.SIGTERM)
    out, err = server.communicate(timeout=60)
    assert (server.returncode, out, err) == (0, "", "")


def test_connections_that_the_machine_cannot_hold_are_one_line(folder: Folder) -> None:
    model = write_model(folder.path / "bars.onnx")
    server = subprocess.run(
        [sys.executable, "-m", SERVE, f"model={model}", "port=0", "limits.connections=5000"],
        cwd=folder.path,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (2048, 2048)),
    )
    assert (server.returncode, server.stdout) == (2, "")
    assert server.stderr == (
        "error: limits.connections=5000 needs 6152 open files, and a process may have 2048 here (`ulimit -Hn`); "
        "choose at most 896.\n"
    )

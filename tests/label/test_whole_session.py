"""The command itself."""

import json
import os
import signal
import socket
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from captcha_exp.config import Config
from captcha_exp.errors import InputError
from captcha_exp.label.whole_session import run_session
from tests.label.conftest import Configured
from tests.loopback import end_server, free_port, start_server

WAIT_S = 60


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class Labelled:
    """The command in a process of its own."""

    def __init__(self, root: Path, folder: Path, *overrides: str) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        given = [f"root={root}", f"dataset.path={folder}", f"port={port}", *overrides]
        command = [sys.executable, "-m", "captcha_exp.label", *given]
        self.process = start_server(command, f"{self.url}/state", root)

    def state(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/state", timeout=30) as answer:
            return dict(json.load(answer))

    def label(self, text: str) -> dict[str, Any]:
        state = self.state()
        body = {"token": state["token"], "number": state["number"], "label": text}
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/label", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return dict(json.load(answer))


def test_a_killed_command_has_lost_nothing_and_goes_on_and_tells_what_comes_next(tmp_path: Path, folder: Path) -> None:
    first = Labelled(tmp_path, folder)
    for text in ("one", "two"):
        first.label(text)
    reading = children(first.process.pid)
    assert len(reading) == 1  # the shipped model reads the images
    first.process.send_signal(signal.SIGKILL)
    first.process.wait()
    rows = (folder / "labels.csv").read_text().splitlines()
    assert [row.split(",")[1] for row in rows] == ["label", "one", "two"]
    deadline = time.monotonic() + WAIT_S
    while os.path.exists(f"/proc/{reading[0]}") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not os.path.exists(f"/proc/{reading[0]}")
    second = Labelled(tmp_path, folder, "training.initial_model=null", "training.epochs=3")
    assert second.state()["labelled"] == 2
    assert second.label("three")["labelled"] == 3
    second.process.send_signal(signal.SIGINT)
    assert second.process.wait(WAIT_S) == 130
    end_server(second.process)
    last = (tmp_path / "log").read_text().splitlines()[-2:]
    assert last == [
        f"3 of 20 images have labels: {folder}/labels.csv",
        f"next: captcha-exp train dataset=manifest dataset.path={folder}/labels.csv root={tmp_path} "
        "training.initial_model=null training.epochs=3",
    ]


def test_two_commands_do_not_write_to_one_table(
    configured: Configured, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused: list[str] = []

    def meanwhile(*_: object) -> None:
        with pytest.raises(InputError) as caught:
            run_session(configured("port=0"), [])
        refused.append(str(caught.value))

    monkeypatch.setattr("captcha_exp.label.whole_session.run_server", meanwhile)
    run_session(configured("port=0", "training.initial_model=null"), [])
    assert refused == [f"Another `captcha-exp label` writes to {folder}/labels.csv; end it first, or use its page."]


def test_a_dataset_that_is_no_folder_is_one_line(configured: Configured, compose: Callable[..., Config]) -> None:
    config = configured().model_copy(update={"dataset": compose("dataset=synthetic").dataset})
    with pytest.raises(
        InputError, match=r"^dataset=synthetic cannot be labelled; type dataset=folder dataset\.path=DIR\.$"
    ):
        run_session(config, [])


def test_a_table_of_ones_own_choice_and_a_port_are_taken(
    configured: Configured, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, told: list[str]
) -> None:
    port = free_port()
    monkeypatch.setattr("captcha_exp.label.whole_session.run_server", lambda *_: None)
    table = tmp_path / "mine.csv"
    run_session(configured(f"table={table}", f"port={port}", "training.initial_model=null"), [])
    assert table.read_text() == "file,label,split\n"
    assert not (folder / "labels.csv").exists()
    assert f"page http://127.0.0.1:{port}   labels {table}   Ctrl-C ends" in told
    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(InputError, match=f"^port={port} on 127.0.0.1 cannot"),
    ):
        run_session(configured(f"port={port}"), [])

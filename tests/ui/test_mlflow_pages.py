"""The pages of MLflow, as `captcha-exp ui` starts them."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from playwright.sync_api import Browser, expect

from captcha_exp.config import UiConfig, conf_dir, load
from captcha_exp.tracking import Store, open_store
from tests.loopback import free_port

WAIT_S = 120
ADDRESS = re.compile(r"(http://127\.0\.0\.1:\d+)(/#/\S+)")


def children(pid: int) -> list[int]:
    direct = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [*direct, *(below for one in direct for below in children(one))]


def start(root: Path, port: int) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "captcha_exp", "ui", f"root={root}", f"port={port}"]
    return subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@contextmanager
def started(root: Path) -> "Iterator[tuple[subprocess.Popen[str], str]]":
    """The command, and the first line that it prints."""
    process = start(root, free_port())
    guard = threading.Timer(WAIT_S, process.kill)
    guard.start()
    assert process.stdout is not None
    yield process, process.stdout.readline()
    guard.cancel()
    left = children(process.pid) if process.poll() is None else []
    process.kill()
    process.communicate()
    for pid in left:
        os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def store(give_database: Callable[[Path], None], tmp_path_factory: pytest.TempPathFactory) -> Store:
    root = tmp_path_factory.mktemp("shown")
    give_database(root)
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        config = load(UiConfig, compose("ui", [f"root={root}"]))
    return open_store(config.tracking, config.root_path)


@pytest.fixture(scope="module")
def shown(store: Store) -> "Iterator[tuple[subprocess.Popen[str], str]]":
    """Starting it takes seconds: the tests share it, and the last one ends it."""
    with started(Path(store.uri.removeprefix("sqlite:///")).parents[1]) as command:
        yield command


def test_the_address_is_printed_once_it_answers(shown: tuple["subprocess.Popen[str]", str], store: Store) -> None:
    process, line = shown
    found = ADDRESS.match(line)
    assert found, process.communicate()
    assert found[2] == "/#/experiments/1/runs?workflowType=machine_learning"
    with urllib.request.urlopen(f"{found[1]}/health", timeout=5) as answer:  # at once
        assert answer.status == 200
    started = children(process.pid)
    commands = {pid: Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0") for pid in started}
    assert len([words for words in commands.values() if b"uvicorn" in words]) == 1
    assert len(started) == 2  # MLflow's own command, and its one worker
    for pid in started:
        settings = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        assert b"MLFLOW_DISABLE_TELEMETRY=true" in settings
    assert store.uri.encode() not in b" ".join(b" ".join(words) for words in commands.values())


def test_the_printed_addresses_open_with_the_registry_beside_them(
    shown: tuple["subprocess.Popen[str]", str], store: Store, browser: Browser
) -> None:
    server = ADDRESS.match(shown[1])
    assert server is not None
    with store.start_run("one", {}) as run:
        pass
    printed = [shown[1], store.ui_hint(run.run_id), store.page_hint("/#/experiments/1/runs?viewStateShareKey=none")]
    pages = [found[2] for line in printed if (found := ADDRESS.search(line))]
    assert len(pages) == 3
    for address in pages:
        page = browser.new_page()
        page.goto(f"{server[1]}{address}")
        expect(page.get_by_role("link", name="Model registry").first).to_be_visible(timeout=WAIT_S * 1000)
        page.close()


def test_ctrl_c_ends_everything(shown: tuple["subprocess.Popen[str]", str]) -> None:
    process, _ = shown
    started = children(process.pid)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, "", "")
    assert not [pid for pid in started if Path(f"/proc/{pid}").exists()]


def test_a_server_that_ends_by_itself_is_told(database_made_before: None, tmp_path: Path) -> None:
    with started(tmp_path) as (process, _):
        for pid in children(process.pid):
            os.kill(pid, signal.SIGKILL)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 1
        assert err.splitlines()[-1].startswith("error: MLflow's server ended by itself")


def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start(tmp_path, port)
        _, err = process.communicate(timeout=WAIT_S)
    assert process.returncode == 2
    assert err == f"error: port={port} cannot be used (Address already in use); choose another, e.g. port={port + 1}.\n"
    assert not (tmp_path / "mlruns").exists()


def test_make_ui_is_this_command() -> None:
    makefile = (Path(__file__).resolve().parents[2] / "Makefile").read_text()
    assert "\n\t$(BIN)/python -m captcha_exp.ui\n" in makefile

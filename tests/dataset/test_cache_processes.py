"""Preparations in processes of their own: two at once, killed ones continued, and what they show."""

import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from captcha_exp.config import Config
from captcha_exp.dataset import prepare_dataset
from captcha_exp.dataset.progress import Progress

Compose = Callable[..., Config]
MakeFolder = Callable[..., Path]

RENDERED = 1500  # enough for a second or two of work, most of it in child processes
SYNTHETIC = ("dataset=synthetic", f"dataset.size={RENDERED}")
SCRIPT = """
import sys
from pathlib import Path
from hydra import compose, initialize_config_dir
from captcha_exp.config import conf_dir, load_config
from captcha_exp.dataset import prepare_dataset
from captcha_exp.terminal import log_to_terminal
log_to_terminal()
with initialize_config_dir(str(conf_dir()), version_base="1.3"):
    config = load_config(compose("config", sys.argv[2:]))
print("starting", flush=True)
sys.stdin.readline()
print(prepare_dataset(config.dataset, Path(sys.argv[1])).fingerprint, flush=True)
"""


def preparing(root: Path, *overrides: str, stderr: int | None = None) -> "subprocess.Popen[str]":
    """A process that prepares a dataset once it is sent a line."""
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(root), *overrides],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "starting\n"
    return process


def _group_alive(leader: int) -> bool:
    try:
        os.killpg(leader, signal.SIG_DFL)
    except ProcessLookupError:
        return False
    return True


def test_two_processes_prepare_the_same_dataset_once(tmp_path: Path) -> None:
    processes = [preparing(tmp_path, *SYNTHETIC) for _ in range(2)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=60)[0].splitlines() for process in processes]
    assert len({lines[-1] for lines in outputs}) == 1
    lines = [line for output in outputs for line in output]
    assert sum(line.startswith(f"prepared {RENDERED} of {RENDERED} images") for line in lines) == 1
    assert lines.count("waiting for another process that prepares the same dataset") == 1
    assert len(list((tmp_path / "cache").glob("*/meta.json"))) == 1
    assert not list((tmp_path / "cache").rglob("*.partial"))


def killed(process: "subprocess.Popen[str]", root: Path) -> None:
    """Kill a preparation in the middle of its images."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    deadline = time.monotonic() + 60
    while not any(path.stat().st_blocks for path in root.rglob("*.partial/images.bin")):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.002)
    process.kill()
    process.wait()
    while _group_alive(process.pid):
        assert time.monotonic() < deadline, "children outlived the killed process"
        time.sleep(0.02)
    assert not list(root.rglob("meta.json"))


def test_a_killed_preparation_leaves_no_process_and_the_next_gives_the_same_bytes(
    compose: Compose, tmp_path: Path
) -> None:
    config = compose(*SYNTHETIC, f"root={tmp_path}/whole")
    whole = prepare_dataset(config.dataset, config.root_path)
    killed(preparing(tmp_path / "killed", *SYNTHETIC), tmp_path / "killed")
    output, _ = preparing(tmp_path / "killed", *SYNTHETIC).communicate("\n", timeout=60)
    assert f"prepared {RENDERED} of {RENDERED} images" in output
    assert not [*(tmp_path / "killed").rglob("*.partial")]
    (cache,) = (path.parent for path in (tmp_path / "killed").rglob("meta.json"))
    names = sorted(path.name for path in whole.cache_dir.iterdir())
    assert names == sorted(path.name for path in cache.iterdir())
    assert all((cache / name).read_bytes() == (whole.cache_dir / name).read_bytes() for name in names)


def everything(terminal: int) -> str:
    """What was written to a terminal. One read gives at most a page of it, which may end within a character."""
    shown = b""
    with suppress(OSError):  # how a terminal tells that nobody writes to it any more
        while read := os.read(terminal, 2**16):
            shown += read
    return shown.decode()


def test_a_terminal_sees_one_live_line_with_rate_and_time_left(tmp_path: Path) -> None:
    terminal, stderr = pty.openpty()
    process = preparing(tmp_path, *SYNTHETIC, stderr=stderr)
    os.close(stderr)
    with ThreadPoolExecutor() as pool:
        # A terminal that nobody reads is full after a page, and then stops who writes to it.
        reading = pool.submit(everything, terminal)
        output, _ = process.communicate("\n", timeout=120)
        shown = reading.result()
    os.close(terminal)
    assert re.search(rf"prepared \d+ of {RENDERED} images \(\d+/s, \d+ s left\)", shown)
    assert "\r\x1b[2K" in shown  # each time in place of the last
    assert output.count("prepared ") == 1


def test_without_a_terminal_plain_lines_tell_rate_and_time_left(
    monkeypatch: pytest.MonkeyPatch, told: list[str]
) -> None:
    monkeypatch.setattr("captcha_exp.dataset.progress._LINE_EVERY_S", 0)
    with Progress(total=400) as progress:
        for done in (150, 400):
            time.sleep(0.01)
            progress.update(done)
    assert re.fullmatch(r"prepared 150 of 400 images \(\d+/s, \d+ s left\)", told[0])
    assert re.fullmatch(r"prepared 400 of 400 images \(\d+/s\)", told[1])

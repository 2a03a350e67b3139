"""Fixtures for datasets that the tests make themselves."""

import fcntl
import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from PIL import Image

from tests.dataset.kaggle_server import PORT, Handler, Kaggle


def png(seed: int, size: tuple[int, int] = (40, 16)) -> bytes:
    """A PNG whose pixels depend on `seed` alone."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0]), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def make_folder(tmp_path: Path) -> Callable[..., Path]:
    """Write a folder of images, one for each label, all different."""

    def make(labels: Sequence[str], name: str = "images", suffix: str = ".png") -> Path:
        folder = tmp_path / name
        folder.mkdir(parents=True, exist_ok=True)
        for seed, label in enumerate(labels):
            (folder / f"{label}{suffix}").write_bytes(png(seed))
        return folder

    return make


@pytest.fixture
def labels() -> list[str]:
    """Forty different labels over ten digits."""
    return [f"{(index * 263) % 1000:03d}" for index in range(40)]


@pytest.fixture
def port_to_oneself() -> Iterator[None]:
    """kagglehub's test port is fixed: one test at a time, whichever process runs it."""
    with (Path(tempfile.gettempdir()) / f"port-{PORT}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture
def kaggle(port_to_oneself: None) -> Iterator[Kaggle]:
    state = Kaggle()

    handler = type("Handler", (Handler,), {"kaggle": state})
    deadline = time.monotonic() + 60
    while state.server is None:
        try:
            state.server = ThreadingHTTPServer(("127.0.0.1", PORT), handler)
        except OSError:
            assert time.monotonic() < deadline, f"port {PORT} stays taken"
            time.sleep(0.5)
    Thread(target=state.server.serve_forever, daemon=True).start()
    yield state
    state.stop()


@pytest.fixture
def prepare(port_to_oneself: None, tmp_path: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Run the command as a user without Kaggle credentials, in folders of the test."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LANG") if name in os.environ}
    environment = {
        **kept,
        "HOME": str(tmp_path / "home"),
        "KAGGLE_API_ENVIRONMENT": "TEST",
        "KAGGLEHUB_CACHE": str(tmp_path / "kagglehub"),
        "NO_PROXY": "*",
    }

    def run(*overrides: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "captcha_exp.prepare", f"root={tmp_path}", *overrides]
        return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=120)

    return run

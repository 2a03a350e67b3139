"""Take pictures of a sweep in the MLflow UI with Chromium: `python -m benchmarks.ui_pictures NAME FOLDER`."""

import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

_ADDRESS = "http://127.0.0.1:5077"
_SIZE = {"width": 1500, "height": 780}
_COLOURS = 256  # few colours keep a screenshot of the UI small
_NO_ASSISTANT = "localStorage.setItem('mlflow.assistant.fab.autoOpenedOnFirstLoad_v1', 'true')"
_SETTLE_MS = 3_000


def main() -> int:
    """Take the pictures of the sweep with that name in this folder."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    with _ui(), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport=_SIZE)  # type: ignore[arg-type]
        page.set_default_timeout(120_000)
        page.add_init_script(_NO_ASSISTANT)
        page.goto(f"{_ADDRESS}/#/experiments/1/runs")
        row = page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))
        row.get_by_role("button").first.click()
        page.get_by_test_id("saved-views-trigger").click()
        page.get_by_role("menuitem").filter(has_text=f"sweep {name}").click()
        page.get_by_text("best/val/sequence_accuracy").first.wait_for()
        _shoot(page, folder / "ui-runs.png")
        for box in page.get_by_role("row").filter(has_text="trial-").get_by_role("checkbox").all()[:8]:
            box.check()
        page.get_by_role("button", name="Compare").click()
        page.locator(".js-plotly-plot").first.wait_for()
        _shoot(page, folder / "ui-compare.png")
        browser.close()
    return 0


@contextmanager
def _ui() -> Iterator[None]:
    host, port = _ADDRESS.removeprefix("http://").split(":")
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", "sqlite:///mlruns/mlflow.db"),
            *("--host", host, "--port", port, "--workers", "1"),
        ],
        env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"},
        start_new_session=True,
    )
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{_ADDRESS}/health")
                break
            except OSError:
                time.sleep(0.5)
        yield
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


def _shoot(page: Page, path: Path) -> None:
    page.wait_for_timeout(_SETTLE_MS)
    page.screenshot(path=path)
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    sys.exit(main())

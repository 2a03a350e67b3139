"""A picture of the demo page after it has read an image.

Run: python -m benchmarks.serve_page --image FILE --output docs/serve.png model=MODEL [override of conf/serve.yaml ...]
"""

import argparse
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

_WIDTH, _HEIGHT = 1180, 700
_COLORS = 256
_SETTLE_MS = 1_000


def main() -> int:
    """Start a server, upload an image in a browser, and save a picture of the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--image", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--width", type=int, default=_WIDTH, help="width of the window, in pixels")
    options, overrides = parser.parse_known_args()
    command = [sys.executable, "-m", "captcha_exp.serve", "port=0", *overrides]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        address = next(found[1] for line in server.stdout or [] if (found := re.search(r"page (\S+)", line)))
        _photograph(address, options)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()
    return 0


def _photograph(address: str, options: argparse.Namespace) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        scheme = "dark" if options.dark else "light"
        page = browser.new_page(viewport={"width": options.width, "height": _HEIGHT}, color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(address)
        page.locator(".ce-model b").first.wait_for()
        page.locator("input[type=file]").first.set_input_files(options.image)
        page.locator(".ce-strip img").wait_for()
        page.wait_for_timeout(_SETTLE_MS)  # wait until fading elements have faded
        page.screenshot(path=options.output, full_page=True)
        browser.close()
    Image.open(options.output).convert("RGB").quantize(_COLORS).save(options.output, optimize=True)


if __name__ == "__main__":
    sys.exit(main())

"""A browser that keeps account of everything a page does by itself."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

# In containers everything runs as root, and what the browser asks for by itself is no page's doing.
_ALONE = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
# A script that text brought along would leave a trace here, even where it cannot open a dialog.
_TRAP = "window.trapped = []; for (const name of ['alert', 'open', 'fetch']) "
_TRAP += "{ const real = window[name]; window[name] = (...given) => { window.trapped.push([name, String(given[0])]); "
_TRAP += "return name === 'fetch' ? real(...given) : null; }; }"

# Elements that the text itself would have become.
_FOREIGN = """() => [...document.querySelectorAll('*')].filter(one => [...one.attributes].some(({name, value}) =>
  (name.startsWith('on') && value.includes('alert(')) ||
  (['src', 'href', 'xlink:href', 'action', 'style'].includes(name) && /^javascript:|127[.]0[.]0[.]1:9[/]/.test(value))
) || (one.localName === 'script' && one.textContent.startsWith('alert('))).map(one => one.outerHTML)"""


@contextmanager
def started_browser() -> Iterator[Browser]:
    """Chromium, or skip."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("needs chromium on the PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_ALONE)
        yield browser
        browser.close()


class Watched:
    """A page, and what it asked for, said or ran; `own` begins what it may ask for."""

    def __init__(self, browser: Browser, own: str, width: int = 1280) -> None:
        self._context = browser.new_context(viewport={"width": width, "height": 900})
        self._context.add_init_script(_TRAP)
        self.page: Page = self._context.new_page()
        self.events: list[str] = []
        allowed = (own, "data:", "blob:")
        self.page.on("request", lambda sent: self._note("asks", sent.url) if not sent.url.startswith(allowed) else None)
        self.page.on("dialog", lambda dialog: (self._note("dialog", dialog.message), dialog.dismiss()))
        self.page.on("console", lambda said: self._note("console", said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self._note("error", str(error)))

    def _note(self, kind: str, what: str) -> None:
        self.events.append(f"{kind}: {what[:200]}")

    def nothing_happened(self) -> None:
        """Fail if a script of the text ran, something was fetched, or the text became elements of the page."""
        self.page.wait_for_timeout(200)
        alerts = [call for call in self.page.evaluate("window.trapped") if "hostile" in call[1]]
        assert (self.events, alerts) == ([], [])
        assert self.page.evaluate(_FOREIGN) == []

    def close(self) -> None:
        self._context.close()

"""The page of a sweep while it runs, written anew every so often."""

import math
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from captcha_exp.errors import first_line
from captcha_exp.files import replacing
from captcha_exp.sweep.live_view import View
from captcha_exp.sweep.plan import SweepPlan
from captcha_exp.sweep.study import OpenStudy
from captcha_exp.sweep.study_facts import ReadSweep, read_study

_REST = 50  # rests so many times as long as a page took: it costs at most 2 % of a core
_LAST_S = 10
_RUNNING, _KILLED = "Running:", "Not running any more, its process was killed:"


@dataclass(frozen=True)
class Progress:
    """A sweep that has not ended, or not by itself.

    Attributes:
        sweep: what its study holds now.
        told: how far it is, in sentences.
        refresh_s: after how many seconds a browser should look again; None for never.
        ui_hint: one line that says how to look at the sweep's run; None if it is not known.
    """

    sweep: ReadSweep
    told: str
    refresh_s: int | None = None
    ui_hint: str | None = None


WriteReport = Callable[[Progress | None], Path | None]


class LivePage:
    """Writes the page in a thread of its own, from `with` to its end. An error of it is one line, and no more."""

    def __init__(self, plan: SweepPlan, opened: OpenStudy, view: View, write: WriteReport, ui_hint: str | None) -> None:
        """Args:
        plan: the sweep.
        opened: its study.
        view: what the supervisor shows; knows how far the sweep is, and prints.
        write: writes the page of a progress. It returns None if there shall be no page.
        ui_hint: see `Progress`.
        """
        self._plan, self._opened, self._view, self._write, self._ui_hint = plan, opened, view, write, ui_hint
        self._every_s = plan.config.sweep.report_every_s
        self._pause_s = self._every_s or math.inf
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._page: Path | None = None
        self._is_failing = False

    def __enter__(self) -> Self:
        if self._every_s is not None:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._every_s is None:
            return
        self._closing.set()
        self._thread.join(_LAST_S)
        if self._page is not None and not self._thread.is_alive():
            self._renew(self._last)

    def _work(self) -> None:
        self._renew(self._running)  # for the first time it imports what draws, which does not count
        if self._page is not None:
            self._view.say(f"watch it:       {self._page.as_uri()}")
        while not self._closing.wait(min(self._pause_s, threading.TIMEOUT_MAX)):
            began = time.thread_time()
            self._renew(self._running)
            self._pause_s = max(self._every_s or 0, _REST * (time.thread_time() - began))

    def _renew(self, progress: Callable[[], Progress]) -> None:
        try:
            self._page = self._write(progress())
            self._is_failing = False
        except Exception as error:
            if not self._is_failing:
                self._view.say(f"the page of the sweep cannot be written: {first_line(error)}")
            self._is_failing = True

    def _running(self) -> Progress:
        return Progress(self._read(), f"{_RUNNING} {self._view.told}.", math.ceil(self._pause_s), self._ui_hint)

    def _last(self) -> Progress:
        return Progress(self._read(), _stopped(self._view.told), None, self._ui_hint)

    def _read(self) -> ReadSweep:
        return read_study(self._opened.study, self._plan.folder)


def page_of(folder: Path) -> Path:
    """The page of the sweep in `folder`."""
    return folder / "report" / "report.html"


def end_page(folder: Path) -> None:
    """End the page of a sweep whose supervisor was killed: it says so, and loads itself no more."""
    page = page_of(folder)
    with suppress(OSError, UnicodeDecodeError):
        still = re.sub('<meta http-equiv="refresh"[^>]*>', "", page.read_text(encoding="utf-8"))
        with replacing(page) as file:
            file.write(still.replace(f'"notice">{_RUNNING}', f'"notice">{_KILLED}', 1).encode())


def _stopped(how: str) -> str:
    return f"Not running any more: {how}. If trials are missing, the same command goes on with them."

"""The page of a sweep is written while the sweep runs, and no error of it reaches the sweep."""

import io
import threading
from collections.abc import Callable
from pathlib import Path

from optuna.samplers import RandomSampler
from rich.console import Console

from captcha_exp.config import Config
from captcha_exp.sweep.live_page import LivePage, Progress
from captcha_exp.sweep.live_view import View
from captcha_exp.sweep.study import definition, open_study
from tests.sweep.conftest import eventually
from tests.sweep.test_live_view import a_plan


class Page:
    """A file as the page, and all that was to be written there; the first `broken` times it cannot be written."""

    def __init__(self, path: Path, compose: Callable[..., Config], *overrides: str, broken: int = 0) -> None:
        self.written: list[Progress] = []
        self.printed = io.StringIO()
        self.wrote = threading.Event()
        self._path, self._broken = path, broken
        plan = a_plan(compose, *overrides)
        opened = open_study(plan.config, RandomSampler(), definition(plan.config, plan.space, {}))
        view = View(plan, Console(file=self.printed, width=200))
        self.live = LivePage(plan, opened, view, self._write, "mlflow ui")

    def _write(self, progress: Progress | None) -> Path:
        assert progress is not None
        self.written.append(progress)
        if len(self.written) <= self._broken:
            raise OSError("there is no room")
        return self._path


def test_a_page_is_written_again_and_again_and_once_more_at_its_end(
    compose: Callable[..., Config], tmp_path: Path
) -> None:
    page = Page(tmp_path / "page.html", compose, "sweep.report_every_s=0.01")
    with page.live:
        eventually(lambda: len(page.written) > 2 or None)
    *running, last = page.written
    assert all(one.refresh_s and one.told.startswith("Running: 0 of 4 trials ended") for one in running)
    assert (last.refresh_s, last.ui_hint) == (None, "mlflow ui")
    assert last.told.startswith("Not running any more: 0 of 4 trials ended.")
    assert page.printed.getvalue() == f"watch it:       {(tmp_path / 'page.html').as_uri()}\n"


def test_what_cannot_be_written_is_told_in_one_line_until_it_can(
    compose: Callable[..., Config], tmp_path: Path
) -> None:
    page = Page(tmp_path / "page.html", compose, "sweep.report_every_s=0.01", broken=2)
    with page.live:
        eventually(lambda: len(page.written) > 3 or None)
    assert page.printed.getvalue() == "the page of the sweep cannot be written: there is no room\n"
    assert page.written[-1].refresh_s is None


def test_null_writes_no_page_before_the_end(compose: Callable[..., Config], tmp_path: Path) -> None:
    page = Page(tmp_path / "page.html", compose, "sweep.report_every_s=null")
    with page.live:
        pass
    assert not page.written and not page.printed.getvalue()

"""The audit of a dataset whose files, labels and folder somebody named who wishes its readers ill."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from playwright.sync_api import Browser

from captcha_exp.config import conf_dir, load_config
from captcha_exp.dataset import prepare_dataset
from captcha_exp.dataset.sources import open_source
from captcha_exp.foreign_text import MOST_SHOWN
from captcha_exp.prepare.audit import audit_dataset
from captcha_exp.prepare.audit_folder import write_audit
from captcha_exp.prepare.audit_page import render_page
from captcha_exp.prepare.audit_result import Audit, Unusable
from captcha_exp.prepare.file_inspection import Damage
from tests.hostile_text import HOSTILE_TEXT
from tests.prepare.conftest import write_sound
from tests.watched_browser import Watched

NAMES = ["\U00010400" * 300, "..", "a/../../b", "\ud800", "a\0b", "", "漢" * 100]
Page = tuple[Audit, Callable[[str], bytes]]


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Page:
    """Sound images under a folder and names that are markup."""
    root = tmp_path_factory.mktemp("hostile")
    folder = root / "<img src=x onerror=alert('hostile')>${7*7}{{7*7}}\x1b[31m"
    write_sound(folder)
    for image, text in zip(sorted(folder.iterdir()), HOSTILE_TEXT.values(), strict=False):
        label = "".join(c for c in text if c.isprintable() and c not in "/.")[:60]
        image.rename(image.with_name(f"{label or 'empty'}.png"))
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        composed = hydra_compose(
            "config", [f"root={root}", "dataset=folder", "dataset.path=x", "dataset.max_bad_share=1"]
        )
    config = load_config(composed)
    config = config.model_copy(update={"dataset": config.dataset.model_copy(update={"path": str(folder)})})
    dataset = prepare_dataset(config.dataset, config.root_path)
    source = open_source(config.dataset, config.root_path / "cache")
    return audit_dataset(source, dataset, config.dataset, None), source.load


def test_nothing_of_a_hostile_dataset_runs_or_is_fetched(audited: Page, browser: Browser, tmp_path: Path) -> None:
    audit, load = audited
    # What a source of one's own may tell, which checks neither names nor reasons.
    worst = [Unusable(text, Damage.rejected, text) for text in HOSTILE_TEXT.values()]
    audit = replace(audit, unusable=worst, warnings=[*HOSTILE_TEXT.values()], source_name=HOSTILE_TEXT["script"])
    path = write_audit(audit, render_page(audit, load), tmp_path)
    assert path.is_relative_to(tmp_path / "audits")
    assert path.stat().st_size < 3_000_000
    assert "x" * (MOST_SHOWN + 1) not in path.read_text(encoding="utf-8")
    watched = Watched(browser, path.as_uri(), width=390)
    watched.page.goto(path.as_uri())
    watched.nothing_happened()
    assert watched.page.locator("h1").inner_text().startswith("<img src=x onerror=alert('hostile')>${7*7}{{7*7}}\\x1b")
    assert watched.page.evaluate("document.documentElement.scrollWidth") == 390
    watched.close()
    told = json.loads(path.with_name("audit.json").read_text(encoding="utf-8"))
    assert [one["reason"] for one in told["problems"]["unusable"]] == [*HOSTILE_TEXT.values()]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_an_audit_stays_in_its_folder_whatever_a_dataset_is_called(audited: Page, tmp_path: Path, name: str) -> None:
    """Sixty letters of four bytes and the fingerprint made a name that no file system takes."""
    audit = replace(audited[0], source_name=name, source_uri="custom")
    path = write_audit(audit, "page", tmp_path)
    assert path.parent.parent == tmp_path / "audits"

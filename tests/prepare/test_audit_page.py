"""The page of an audit in a real browser."""

from collections.abc import Callable
from pathlib import Path

import pytest

from captcha_exp.config import Config
from captcha_exp.dataset import prepare_dataset
from captcha_exp.dataset.sources import open_source
from captcha_exp.prepare.audit import audit_dataset
from captcha_exp.prepare.audit_folder import write_audit
from captcha_exp.prepare.audit_page import render_page


@pytest.fixture
def page(dirty: Path, compose: Callable[..., Config]) -> Path:
    pattern = "dataset.label_pattern='(.*_)?(?P<label>.+)'"
    config = compose("dataset=folder", f"dataset.path={dirty}", "dataset.max_bad_share=1", pattern)
    dataset = prepare_dataset(config.dataset, config.root_path)
    source = open_source(config.dataset, config.root_path / "cache")
    audit = audit_dataset(source, dataset, config.dataset, None)
    return write_audit(audit, render_page(audit, source.load), config.root_path)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_stands_alone_and_fits_a_phone(page: Path, browser, scheme: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    tab = context.new_page()
    requested: list[str] = []
    said: list[str] = []
    tab.on("request", lambda request: requested.append(request.url))
    tab.on("console", lambda message: said.append(message.text))
    tab.goto(page.as_uri())
    assert [url for url in requested if not url.startswith("data:")] == [page.as_uri()]
    assert said == []
    assert tab.evaluate("document.documentElement.scrollWidth") == 390
    pictures = "[...document.images]"
    assert tab.evaluate(f"{pictures}.length") > 24
    assert tab.evaluate(f"{pictures}.every(one => one.complete && one.naturalWidth > 0)")
    dark = tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(18, 22, 27)"
    assert dark == (scheme == "dark")
    targets = "[...document.querySelectorAll('.findings a')].map(one => one.getAttribute('href'))"
    assert tab.evaluate(f"{targets}.every(target => document.querySelectorAll(target).length === 1)")
    assert tab.evaluate(f"{targets}.length") == 9

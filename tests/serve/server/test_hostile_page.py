"""The demo page over a model, with files, that somebody wrote who wishes its readers ill."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from captcha_exp.errors import InputError
from captcha_exp.foreign_text import visible
from captcha_exp.reader.predictor import Predictor
from tests.hostile_text import HOSTILE_TEXT
from tests.serve.server.conftest import Served, bars, running, write_model
from tests.watched_browser import Watched

CHARACTERS = "\"&'/<=>`{}$"
NAME = "".join(HOSTILE_TEXT[name] for name in ("image", "script", "end of style", "template", "bidi", "attribute"))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("hostile")
    model = write_model(folder / "model.onnx", CHARACTERS, NAME)
    with running(folder, str(model)) as served:
        yield served


@pytest.fixture
def watched(browser: Browser, hostile: Served) -> Iterator[Watched]:
    watched = Watched(browser, hostile.url)
    watched.page.goto(hostile.url)
    expect(watched.page.locator(".ce-model")).to_be_visible(timeout=30_000)
    yield watched
    watched.close()


def test_a_model_is_called_what_it_likes_and_nothing_runs(watched: Watched) -> None:
    page = watched.page
    assert page.locator(".ce-model b").first.text_content() == visible(NAME)
    assert page.locator(".ce-model code").text_content() == CHARACTERS
    text = "<'\">&=$"[:6]
    data = bars(text, characters=CHARACTERS)
    page.locator("input[type=file]").first.set_input_files(
        {"name": "<img src=x onerror=alert('hostile')>.png", "mimeType": "image/png", "buffer": data}
    )
    expect(page.locator(".ce-text")).to_have_text(text, timeout=30_000)
    expect(page.locator(".ce-note").last).to_contain_text("Read by <img src=http")
    watched.nothing_happened()


def test_files_are_called_what_they_like_and_nothing_runs(watched: Watched) -> None:
    page = watched.page
    page.get_by_role("tab", name="Several files").click()
    names = [
        f"{HOSTILE_TEXT[name].replace('/', '_')[:80]}.png" for name in ("script", "image", "formula", "rich", "bidi")
    ]
    files = [{"name": name, "mimeType": "image/png", "buffer": bars("<>", characters=CHARACTERS)} for name in names]
    page.locator("input[type=file][multiple]").set_input_files(
        [*files, {**files[0], "name": "<b>.png", "buffer": b"<b>no image"}]
    )
    expect(page.locator(".ce-note").last).to_contain_text("5 of 6 files read by <img src=http", timeout=30_000)
    expect(page.get_by_role("gridcell", name="<>").first).to_be_visible()
    watched.nothing_happened()


def test_what_is_known_of_a_text_is_told_back_as_text(watched: Watched) -> None:
    page = watched.page
    page.get_by_role("button", name="What is known of the text").first.click()
    page.get_by_label("Fewest characters").first.fill(HOSTILE_TEXT["image"])
    page.locator("input[type=file]").first.set_input_files(
        {"name": "x.png", "mimeType": "image/png", "buffer": bars("<", characters=CHARACTERS)}
    )
    expect(page.locator(".ce-problem")).to_contain_text('not "<img src=http', timeout=30_000)
    watched.nothing_happened()


@pytest.mark.parametrize("character", ["\x1b", "\n", "\0", "\u202e", "\ud800", "\u200b"])
def test_a_model_that_reads_what_cannot_be_seen_is_refused(tmp_path: Path, character: str) -> None:
    """No label that was trained on holds such a character, so the model is none of ours."""
    model = write_model(tmp_path / "model.onnx", f"a{character}")
    with pytest.raises(InputError, match="different printable characters") as refused:
        Predictor.of_onnx(model)
    assert str(refused.value).isprintable()

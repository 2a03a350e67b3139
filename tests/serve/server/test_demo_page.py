"""The page in a real browser."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.serve.server.conftest import Served, bars

OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, served: Served) -> Iterator[OpenPage]:
    """Open the page in a window of a width in pixels; nothing of it may come from elsewhere or fail."""
    problems: list[str] = []
    contexts = []

    def open_at(width: int = 1280, colors: str = "light") -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=colors)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        own = (served.url, "data:", "blob:")
        page.on("request", lambda sent: None if sent.url.startswith(own) else problems.append(sent.url))
        page.on("response", lambda got: problems.append(f"{got.status} {got.url}") if got.status >= 400 else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
        page.goto(served.url)
        expect(page.locator(".ce-model")).to_be_visible(timeout=30_000)
        return page

    yield open_at
    for context in contexts:
        context.close()
    assert problems == []


def _put(page: Page, data: bytes, name: str = "x.png") -> None:
    page.locator("input[type=file]").first.set_input_files({"name": name, "mimeType": "image/png", "buffer": data})


def test_a_picture_is_read_and_drawn_with_its_probabilities(open_page: OpenPage) -> None:
    page = open_page()
    expect(page.locator(".ce-model")).to_contain_text("Model m-bars")
    _put(page, bars("abba"))
    expect(page.locator(".ce-text")).to_have_text("abba")
    expect(page.locator(".ce-likely code").first).to_have_text("abba")
    assert page.locator(".ce-likely code").count() == 5
    assert page.locator(".ce-strip > b").all_inner_texts() == ["", "", "a", "b", "-"]
    # A letter stands over the middle of its bar: bars are every second of twelve steps.
    strip = page.locator(".ce-strip img").bounding_box()
    letters = [one.bounding_box() for one in page.locator(".ce-over span").all()]
    assert strip is not None
    for index, letter in enumerate(letters):
        assert letter is not None
        middle = (letter["x"] + letter["width"] / 2 - strip["x"]) / strip["width"]
        assert middle == pytest.approx((2 * index + 0.5) / 12, abs=0.01)


def test_an_example_is_read_on_a_click(open_page: OpenPage) -> None:
    page = open_page()
    page.locator(".gallery-item, button:has(img)").first.click()
    expect(page.locator(".ce-text")).to_have_text("abc")


def test_a_screen_reader_is_told_names_and_the_result(open_page: OpenPage) -> None:
    page = open_page()
    result = page.get_by_role("status", name="Result").first
    expect(result).to_have_attribute("aria-live", "polite")
    page.get_by_role("button", name="Example 1: read this picture").click()
    expect(result.locator(".ce-text")).to_have_text("abc")
    heard = result.aria_snapshot()
    assert "- text: abc" in heard and '- img "the image as the model sees it"' in heard
    assert heard.count("- img") == 1, "the cells below the image are for the eye"
    unnamed = [line for line in page.locator("body").aria_snapshot().splitlines() if line.strip() in {"- button"}]
    assert unnamed == []


def test_on_a_phone_the_result_comes_into_sight(open_page: OpenPage) -> None:
    page = open_page(390)
    page.set_viewport_size({"width": 390, "height": 540})
    expect(page.locator(".block.ce-result").first).not_to_be_in_viewport()
    _put(page, bars("abcdab"))
    expect(page.locator(".ce-text")).to_have_text("abcdab")
    expect(page.locator(".ce-text")).to_be_in_viewport()


def test_a_low_confidence_looks_low(open_page: OpenPage) -> None:
    page = open_page()
    _put(page, bars("abba"))
    expect(page.locator(".ce-text")).to_have_text("abba")
    assert page.locator(".ce-doubt").count() == 0
    _put(page, bars("ABAB", characters="aAbBcCdD"))  # greys between those of two characters
    expect(page.locator(".ce-doubt")).to_have_text(re.compile(r"Unsure: \d+\.\d %\. Check it\."))
    line = page.locator(".ce-text").evaluate("one => getComputedStyle(one).textDecorationColor")
    assert line == "rgb(217, 119, 6)"


def test_what_is_known_is_taken_into_account(open_page: OpenPage) -> None:
    page = open_page()
    _put(page, bars("abc"))
    expect(page.locator(".ce-text")).to_have_text("abc")
    page.get_by_text("What is known of the text").first.click()
    page.get_by_label("Pattern").first.fill("[ab]{2}")
    page.get_by_role("button", name="Read").first.click()
    expect(page.locator(".ce-text")).to_have_text("ab")
    page.get_by_label("Pattern").first.fill("z")
    page.get_by_role("button", name="Read").first.click()
    expect(page.locator(".ce-problem")).to_contain_text("No text satisfies pattern=z")


def test_a_file_that_is_no_image_is_told(open_page: OpenPage) -> None:
    page = open_page()
    _put(page, b"<script>alert(1)</script>")
    expect(page.locator(".ce-problem")).to_contain_text("This file cannot be read: not an image")


def test_several_files_are_a_table_with_a_line_each(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page()
    files = []
    for name, data in (("1.png", bars("ab")), ("<b>2.png", b"no image"), ("3.png", bars("dd"))):
        (tmp_path / name).write_bytes(data)
        files.append(tmp_path / name)
    page.get_by_role("tab", name="Several files").click()
    page.locator("input[type=file][multiple]").set_input_files(files)
    expect(page.get_by_text("2 of 3 files read by m-bars.")).to_be_visible()
    table = page.locator(".table-wrap, [data-testid='dataframe']").first
    expect(table).to_contain_text("not an image")
    shown = " ".join(table.inner_text().split())
    for line in ("1.png ab 100.0 %", "b2.png not an image", "3.png dd 100.0 %"):
        assert line in shown


@pytest.mark.parametrize("colors", ["light", "dark"])
def test_a_narrow_window_shows_everything_without_scrolling_sideways(open_page: OpenPage, colors: str) -> None:
    page = open_page(390, colors)
    _put(page, bars("abcdab"))
    expect(page.locator(".ce-text")).to_have_text("abcdab")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    text, back = page.evaluate(
        "[getComputedStyle(document.querySelector('.ce-text')).color, getComputedStyle(document.body).backgroundColor]"
    )
    light = [sum(map(int, color[color.index("(") + 1 : -1].split(",")[:3])) for color in (text, back)]
    assert (light[0] < light[1]) == (colors == "light")

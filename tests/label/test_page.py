"""The page in a real browser, used with the keyboard alone."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, expect

from captcha_exp.label.guesses import Guesses
from captcha_exp.label.label_application import label_application
from captcha_exp.label.label_table import LabelTable
from captcha_exp.label.labelling_session import LabellingSession
from tests.hostile_text import HOSTILE_TEXT
from tests.label.conftest import write_images
from tests.watched_browser import Watched

Begun = Callable[..., LabellingSession]
MEAN = "".join(HOSTILE_TEXT[name] for name in ("image", "script", "end of style", "attribute", "template"))


@contextmanager
def opened(browser: Browser, session: LabellingSession) -> Iterator[Watched]:
    """The page of a session."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(label_application(session, "127.0.0.1"), lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        watched = Watched(browser, url)
        try:
            watched.page.goto(url)
            expect(watched.page.locator("#image")).to_be_visible()
            ready(watched)
            yield watched
        finally:
            watched.close()
            server.should_exit = True
            thread.join()


def ready(watched: Watched) -> None:
    """Wait until the next key is taken."""
    expect(watched.page.locator("#form")).to_have_attribute("aria-busy", "false")


def answered(watched: Watched, labelled: int) -> None:
    """Wait until so many labels are written, and the next image is asked for."""
    expect(watched.page.locator("#progress")).to_contain_text(f"{labelled} labelled")
    ready(watched)


def test_labels_are_typed_taken_back_and_skipped_with_the_keyboard(
    browser: Browser, begun: Begun, folder: Path
) -> None:
    texts = {f"{number}.png": (f"guess{number}", 0.25) for number in range(20)}
    session = begun(guesses=Guesses(9, texts, "model of 9 labels"))
    table = folder / "labels.csv"
    with opened(browser, session) as watched:
        page, keyboard = watched.page, watched.page.keyboard
        expect(page.locator("#guess")).to_have_text("Guess, with a confidence of 25 %. Enter keeps it.")
        first = page.locator("#name").inner_text()
        expect(page.get_by_label("What does the image show?")).to_have_value(texts[first][0])
        keyboard.press("Enter")  # keeps the guess
        answered(watched, 1)
        expect(page.locator("#name")).not_to_have_text(first)
        second = page.locator("#name").inner_text()
        keyboard.type("typed")  # over the guess, which is selected
        keyboard.press("Enter")
        answered(watched, 2)
        expect(page.locator("#name")).not_to_have_text(second)
        third = page.locator("#name").inner_text()
        keyboard.press("ArrowDown")  # skips
        expect(page.locator("#progress")).to_contain_text("1 skipped")
        ready(watched)
        expect(page.locator("#name")).not_to_have_text(third)
        fourth = page.locator("#name").inner_text()
        keyboard.type("worng")
        keyboard.press("Enter")
        answered(watched, 3)
        keyboard.press("ArrowUp")  # takes it back
        answered(watched, 2)
        expect(page.locator("#guess")).to_have_text("Taken back; this was its label.")
        expect(page.get_by_label("What does the image show?")).to_have_value("worng")
        keyboard.type("wrong")
        keyboard.press("Enter")
        answered(watched, 3)
        keyboard.press("Delete")
        keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("its label is empty")
        watched.events.remove(next(one for one in watched.events if "422" in one))  # the browser's own line about it
        watched.nothing_happened()
    assert LabelTable(table).rows == [
        (first, texts[first][0], "train"),
        (second, "typed", "train"),
        (fourth, "wrong", "train"),
    ]


def test_names_labels_and_guesses_are_what_they_like_and_nothing_runs(
    browser: Browser, begun: Begun, folder: Path
) -> None:
    for path in folder.iterdir():
        path.unlink()
    name = f"{MEAN.replace('/', '_')[:200]}.png"
    write_images(folder, [name, f"x{name}", f"y{name}"])
    guesses = Guesses(1, {file: (MEAN[:200], 0.5) for file in (name, f"x{name}", f"y{name}")}, MEAN)
    with opened(browser, begun(guesses=guesses)) as watched:
        expect(watched.page.locator("#model")).to_contain_text("<script>")
        assert "<img" in watched.page.locator("#name").inner_text()
        watched.page.keyboard.press("Enter")
        answered(watched, 1)
        watched.page.keyboard.press("ArrowUp")
        answered(watched, 0)
        watched.nothing_happened()


def test_the_page_says_when_nothing_is_left_and_when_the_command_has_ended(browser: Browser, begun: Begun) -> None:
    session = begun()
    for number in range(19):
        session.label(number, "x")
    with opened(browser, session) as watched:
        watched.page.keyboard.type("last")
        watched.page.keyboard.press("Enter")
        expect(watched.page.locator("#done")).to_contain_text("No image is left to ask for")
        expect(watched.page.locator("#form")).to_be_hidden()
        ready(watched)
        watched.page.keyboard.press("ArrowUp")
        expect(watched.page.locator("#form")).to_be_visible()
        ready(watched)
        watched.page.route("**/label", lambda route: route.abort())
        watched.page.keyboard.press("Enter")
        expect(watched.page.get_by_role("alert")).to_contain_text("The command has ended; start it again")
        expect(watched.page.locator("#problem")).to_be_empty()  # it answers again


@pytest.mark.parametrize("width", [320, 1280])
def test_the_page_fits_and_has_a_name_for_everything(browser: Browser, begun: Begun, width: int) -> None:
    with opened(browser, begun()) as watched:
        watched.page.set_viewport_size({"width": width, "height": 600})
        assert watched.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert watched.page.get_by_role("img").get_attribute("alt")
        assert watched.page.get_by_role("button").all_inner_texts() == ["Save Enter", "Skip ↓", "Undo ↑"]

"""What every command prints."""

import io
import subprocess
import sys
from pathlib import Path

import pytest

from captcha_exp.command_line import EXIT_INPUT, exit_code
from captcha_exp.errors import InputError, first_line
from captcha_exp.foreign_text import MOST_SHOWN
from captcha_exp.terminal import complain, say
from tests.hostile_text import HOSTILE_TEXT


@pytest.mark.parametrize("name", HOSTILE_TEXT)
def test_any_line_is_one_line_of_what_can_be_seen(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    say(f"line: {HOSTILE_TEXT[name]}")
    complain(f"line: {HOSTILE_TEXT[name]}")
    told = capsys.readouterr()
    assert told.out == told.err
    assert told.out.startswith("line: ") and told.out.endswith("\n")
    assert told.out[:-1].isprintable()
    assert len(told.out) < 10 * MOST_SHOWN + 100


@pytest.mark.parametrize("name", HOSTILE_TEXT)
def test_a_refusal_is_one_line_of_what_can_be_seen(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse() -> None:
        raise InputError(f"x={HOSTILE_TEXT[name]} is wrong; change it.")

    assert exit_code(refuse) == EXIT_INPUT
    told = capsys.readouterr().err
    assert told.startswith("error: x=") and told[:-1].isprintable() and told.count("\n") == 1


def test_a_terminal_that_knows_few_characters_gets_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A label in Chinese ended a command where the terminal's language was C."""
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", narrow)
    say("label 漢字 \U0001f642 \ud800")
    narrow.flush()
    assert narrow.buffer.getvalue() == b"label \\u6f22\\u5b57 \\U0001f642 \\ud800\n"  # type: ignore[attr-defined]


@pytest.mark.parametrize("address", ["x" * 5_000, "a\0b", "models:/\x1b[31m/1"])
def test_an_address_that_is_no_path_is_refused_in_one_line(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A path of 5,000 characters ended the command with a traceback."""
    from captcha_exp.config import TrackingConfig
    from captcha_exp.tracking import load_recogniser, open_store

    store = open_store(
        TrackingConfig(uri=None, experiment="e", run_name=None, log_model=True, sheet_images=0), tmp_path
    )
    assert exit_code(lambda: load_recogniser(address, store.uri)) == EXIT_INPUT
    told = capsys.readouterr().err
    assert told.startswith("error: model=") and told[:-1].isprintable()


PASSWORD = "postgresql://me:secretWord@host/db"
GUARDED = f"""
import logging
from captcha_exp.terminal import guard_logs
guard_logs()
logging.basicConfig(format="[%(levelname)s] %(message)s")
logging.error("cannot reach %s\\n[ERROR] forged", {PASSWORD!r})
try:
    raise ValueError({PASSWORD!r})
except ValueError:
    logging.exception("raised")
raise ValueError({PASSWORD!r})
"""


def test_neither_a_log_nor_the_last_traceback_shows_a_password_and_no_message_forges_a_line() -> None:
    done = subprocess.run([sys.executable, "-c", GUARDED], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "secretWord" not in done.stderr
    assert done.stderr.startswith(
        "[ERROR] cannot reach postgresql://me:***@host/db\n    [ERROR] forged\n[ERROR] raised\n"
    )
    assert done.stderr.count("ValueError: postgresql://me:***@host/db\n") == 2


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("one.\ntwo"), "one."),
        (ValueError("\n  \n two \nthree"), "two"),
        (ValueError(), "ValueError"),
        (ValueError(" \n"), "ValueError"),
    ],
)
def test_the_first_line_of_an_error_says_something(error: Exception, line: str) -> None:
    assert first_line(error) == line

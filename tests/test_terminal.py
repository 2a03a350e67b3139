"""What every command prints."""

import io
import sys
from pathlib import Path

import pytest

from captcha_exp.command_line import EXIT_INPUT, exit_code
from captcha_exp.errors import InputError
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

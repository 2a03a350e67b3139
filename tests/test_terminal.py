"""What every command prints."""

import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from captcha_exp.command_line import EXIT_INPUT, exit_code
from captcha_exp.errors import FullDiskError, InputError, first_line, joined_lines
from captcha_exp.foreign_text import MOST_SHOWN
from captcha_exp.terminal import complain, quiet_stderr, say
from tests.hostile_text import HOSTILE_TEXT
from tests.tracking_choice import tracked_in


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
    from captcha_exp.tracking import load_recogniser, open_store

    store = open_store(tracked_in("e"), tmp_path)
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


TOLD = f"""
import logging, logging.config, sys
from captcha_exp.terminal import log_to_terminal, log_with_dates
log, dated = logging.getLogger("captcha_exp.dataset.cache"), log_with_dates("captcha_exp.sweep.worker")
log.info("silent, as nobody has asked for it")
log_to_terminal()
logging.config.dictConfig({{"version": 1}})  # as Hydra's `job_logging=disabled` does: it silences all loggers
logging.basicConfig(stream=sys.stdout, level="INFO", format="[date][%(name)s] %(message)s")
log_to_terminal()
log.info("  %d%% of %s", 5, {PASSWORD!r})
log.info("one\\n[date] line\\t\\x1b[31m")
log.warning("careful with %s", {PASSWORD!r})
log.debug("not for the user")
dated.info("for the log, from %s", {PASSWORD!r})
logging.getLogger("captcha_experiment").info("another's")
"""


def test_what_modules_log_is_told_once_in_plain_lines_and_what_belongs_in_a_log_stands_there() -> None:
    done = subprocess.run([sys.executable, "-c", TOLD], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines() == [
        "  5% of postgresql://me:***@host/db",
        "one\\n[date] line\\t\\x1b[31m",
        "[date][captcha_exp.sweep.worker] for the log, from postgresql://me:***@host/db",
        "[date][captcha_experiment] another's",
    ]
    assert done.stderr == "warning: careful with postgresql://me:***@host/db\n"


@pytest.mark.parametrize(
    ("raised", "seen", "shown"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), FullDiskError, ""),
        (InputError("x"), InputError, ""),
        (ValueError("x"), ValueError, "noise\n"),
    ],
)
def test_noise_is_shown_only_if_no_line_says_what_to_do(
    raised: Exception, seen: type[Exception], shown: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(seen) as caught, quiet_stderr(tmp_path):
        os.write(2, b"noise\n")
        raise raised
    assert capfd.readouterr().err == shown
    assert seen is not FullDiskError or f"no room on the disk of {tmp_path}" in str(caught.value)


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


def test_an_errors_whole_message_fits_on_one_line() -> None:
    assert joined_lines(ValueError(" one\r\n\n  two\tthree ")) == "one two three"

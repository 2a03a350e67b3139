"""Print lines to a terminal or a log, and keep passwords and noise off both."""

import logging
import os
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, TextIO

from captcha_exp.config.passwords import without_passwords
from captcha_exp.errors import InputError
from captcha_exp.files import telling_full_disk
from captcha_exp.foreign_text import visible

_EXIT_UNREAD = 141  # a shell reports this if the reader of a command's output has left


def say(line: object) -> None:
    """Print a line for the user at once, even if standard output is a file."""
    _write(line, sys.stdout)


def complain(line: object) -> None:
    """Print a line about a problem on standard error."""
    _write(line, sys.stderr)


def end_unread() -> NoReturn:
    """End this command because the reader of its output has left, as `head` does."""
    # Otherwise the interpreter would report the same error when it flushes at its end.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(_EXIT_UNREAD) from None


def _write(line: object, stream: TextIO) -> None:
    # A terminal may lack some characters of the text.
    encoding = stream.encoding or "utf-8"
    print(visible(line).encode(encoding, "backslashreplace").decode(encoding), file=stream, flush=True)


def log_to_terminal() -> None:
    """Print what the package's modules log: INFO as `say` does, warnings and errors as `complain` does, all at once.

    Hydra's handlers do not get these lines: they would print them again, each behind a date. This may be called again.
    """
    guard_logs()
    package = logging.getLogger("captcha_exp")
    package.handlers, package.propagate = [_Terminal()], False
    package.setLevel(logging.INFO)
    for name, logger in logging.root.manager.loggerDict.items():
        if name.startswith("captcha_exp.") and isinstance(logger, logging.Logger):
            logger.disabled = False  # Hydra's `job_logging=disabled` has silenced the loggers that there were


def log_with_dates(name: str) -> "logging.LoggerAdapter[logging.Logger]":
    """A logger for what belongs in the log of a process, with its date and traceback, and not before a user."""
    return logging.LoggerAdapter(logging.getLogger(name), {"dated": True})


class _Terminal(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        if getattr(record, "dated", False):
            logging.root.handle(record)
            return
        line = without_passwords(logging.LogRecord.getMessage(record))  # the text as it was logged
        if record.levelno < logging.WARNING:
            say(line)
        else:
            complain(f"{record.levelname.lower()}: {line}")


def guard_logs() -> None:
    """Hide passwords in all log messages of this process and in its last traceback.

    A log message also cannot forge a log line, or send escapes to the terminal that shows it.
    """
    logging.setLogRecordFactory(_Record)
    sys.excepthook = _print_masked


class _Record(logging.LogRecord):
    """A record whose lines after the first are indented."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.exc_info and self.exc_info[0] is not None:
            self.exc_text = _guarded(_traceback(*self.exc_info).rstrip("\n"))

    def getMessage(self) -> str:  # noqa: N802  # the standard library's name
        return _guarded(super().getMessage()).lstrip()


def _guarded(text: str) -> str:
    return "\n".join(f"    {visible(line, keep=chr(9))}" for line in without_passwords(text).split("\n"))


def _traceback(*raised: Any) -> str:
    return "".join(traceback.format_exception(*raised))


def _print_masked(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    for line in without_passwords(_traceback(kind, error, trace)).rstrip("\n").split("\n"):
        complain(line)


@contextmanager
def quiet_stderr(*places: Path) -> Iterator[None]:
    """Hold back the output to standard error. If the block fails, write it after all.

    TensorFlow writes about the processor and missing graphics cards before any setting applies, past `sys.stderr`.

    Args:
        places: where the block writes, as for `telling_full_disk`.

    Raises:
        FullDiskError: a disk is full. This and any other `InputError` need no more lines: theirs says what to do.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("jax").setLevel(logging.WARNING)  # it would tell of each accelerator that is not there
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            with telling_full_disk(*places):
                yield
        except InputError:
            raise
        except BaseException:
            os.dup2(terminal, 2)
            held.seek(0)
            os.write(2, held.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)

"""Lines for whoever looks at a terminal or a log, and what is kept off both."""

import logging
import os
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, TextIO

from captcha_exp.config.passwords import without_passwords
from captcha_exp.errors import InputError
from captcha_exp.files import full_disk
from captcha_exp.foreign_text import visible


def say(line: object) -> None:
    """Tell the user something at once, also where standard output is a file."""
    _write(line, sys.stdout)


def complain(line: object) -> None:
    """Tell the user of something that is wrong, on standard error."""
    _write(line, sys.stderr)


def _write(line: object, stream: TextIO) -> None:
    # A terminal may know fewer characters than the text has.
    encoding = stream.encoding or "utf-8"
    print(visible(line).encode(encoding, "backslashreplace").decode(encoding), file=stream, flush=True)


def guard_logs() -> None:
    """Let no logged message and no last traceback of this process show a password.

    No message of any logger forges a line of the log either, or speaks to the terminal that shows it.
    """
    logging.setLogRecordFactory(_Record)
    sys.excepthook = _print_masked


class _Record(logging.LogRecord):
    """A record whose further lines are indented, as no first line is."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.exc_info and self.exc_info[0] is not None:
            self.exc_text = _guarded(_traceback(*self.exc_info).rstrip("\n"))

    def getMessage(self) -> str:  # noqa: N802  # the name is that of the standard library
        return _guarded(super().getMessage()).lstrip()


def _guarded(text: str) -> str:
    return "\n".join(f"    {visible(line, keep=chr(9))}" for line in without_passwords(text).split("\n"))


def _traceback(*raised: Any) -> str:
    return "".join(traceback.format_exception(*raised))


def _print_masked(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    for line in without_passwords(_traceback(kind, error, trace)).rstrip("\n").split("\n"):
        complain(line)


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Hold back what is written to standard error inside, and write it after all if a failure leaves.

    An `InputError` and a full disk are no failures: one line says all that a user can mend.

    TensorFlow tells about the processor and missing graphics cards before any setting can reach it, past `sys.stderr`.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("jax").setLevel(logging.WARNING)  # it would tell of each accelerator that is not there
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException as error:
            os.dup2(terminal, 2)
            if not isinstance(error, InputError) and full_disk(error) is None:
                held.seek(0)
                os.write(2, held.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)

"""Lines for whoever looks at a terminal or a log."""

import logging
import sys
import traceback
from typing import Any, TextIO

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
    """Let no message of any logger forge a line of the log, or speak to the terminal that shows it."""
    logging.setLogRecordFactory(_Record)


class _Record(logging.LogRecord):
    """A record whose further lines are indented, as no first line is."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.exc_info and self.exc_info[0] is not None:
            self.exc_text = _indented("".join(traceback.format_exception(*self.exc_info)).rstrip("\n"))

    def getMessage(self) -> str:  # noqa: N802  # the name is that of the standard library
        return _indented(super().getMessage()).lstrip()


def _indented(text: str) -> str:
    return "\n".join(f"    {visible(line, keep=chr(9))}" for line in text.split("\n"))

"""Keeping TensorFlow's greetings off the terminal."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from captcha_exp.errors import InputError


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Hold back what is written to standard error inside, and write it after all if a failure leaves.

    An `InputError` is no failure: its one line says all that a user can mend.

    TensorFlow tells about the processor and missing graphics cards before any setting can reach it, past `sys.stderr`.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
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

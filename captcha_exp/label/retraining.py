"""Trains on the labels so far, in the background."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from subprocess import TimeoutExpired
from threading import Thread
from typing import TYPE_CHECKING

from captcha_exp.label.guesses import Guesses, save_guesses
from captcha_exp.label.retraining_process import Failure, Work
from captcha_exp.piped_process import end_piped, received, send, start_piped

if TYPE_CHECKING:
    import subprocess

    from captcha_exp.config import Config

_log = logging.getLogger(__name__)
GUESSES_FILE = "guesses.json"
_ENDS_WITHIN_S = 5
# A Ctrl-C during the imports must not end the process before `main` sees to that.
_START = """
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
from captcha_exp.label.retraining_process import main
main()
"""


class Retraining:
    """One training at a time, in a process that ends with this one. What goes wrong in it is told, and not raised.

    Attributes:
        told: a line about the progress or the failure; empty if there is nothing to say.
        guesses: what the latest model reads; None before the first.
    """

    def __init__(
        self, config: "Config", files: Sequence[tuple[str, str]], folder: Path, guesses: Guesses | None
    ) -> None:
        """Args:
        config: what is trained, and on which table.
        files: names and paths of the images to read with each new model.
        folder: keeps the guesses and the log.
        guesses: those of an earlier session.
        """
        self._config, self._files, self._folder = config, files, folder
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: Thread | None = None
        self.told = ""
        self.guesses = guesses

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def read_with_shipped_model(self) -> None:
        """Start reading all images with the weights that come with the package."""
        self._start(None, 0, "the shipped model is loaded")

    def start(self, labels: int) -> None:
        """Start a training on the table, which has `labels` rows."""
        tracking = self._config.tracking.model_copy(update={"run_name": f"label-{labels}", "log_model": True})
        config = self._config.model_copy(update={"tracking": tracking})
        self._start(config, labels, f"a training on {labels} labels begins")

    def stop(self) -> None:
        """End the process, which first marks its run as interrupted, and wait for it."""
        if self._process is None or self._thread is None:
            return
        self._process.terminate()
        with suppress(TimeoutExpired):
            self._process.wait(_ENDS_WITHIN_S)
        end_piped(self._process, self._thread)
        self._process = self._thread = None

    def _start(self, config: "Config | None", labels: int, told: str) -> None:
        self.stop()
        work = Work(config, labels, self._files, self._folder / "retraining.log")
        self.told = told
        self._process = start_piped(["-c", _START])
        self._thread = Thread(target=self._talk, args=(self._process, work), daemon=True)
        self._thread.start()

    def _talk(self, process: "subprocess.Popen[bytes]", work: Work) -> None:
        # The process reads only after seconds of imports, and a pipe is too small for many names.
        with suppress(BrokenPipeError):
            send(process, work)
        ended = False
        for message in received(process):
            if isinstance(message, str):
                self.told = message
            else:
                ended = True
                self._take(message)
        if not ended and process.wait() != 0:
            self.told = f"the training was ended from outside (exit code {process.returncode}), maybe memory was short"

    def _take(self, message: Guesses | Failure) -> None:
        if isinstance(message, Failure):
            self.told = f"no new model: {message.reason}"
            _log.warning("no new model: %s", message.reason)
            return
        self.guesses, self.told = message, ""
        _log.info(message.told)
        try:
            save_guesses(message, self._folder / GUESSES_FILE)
        except OSError as error:
            _log.warning("what the model reads could not be kept for the next session: %s", error)

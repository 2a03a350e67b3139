"""Trains one member in a process of its own."""

import os
import pickle
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any

from captcha_exp.dataset.label_knowledge import label_decoder
from captcha_exp.model.configured import build_configured
from captcha_exp.model.threads import configure_threads
from captcha_exp.piped_process import answering, end_piped, received, send, start_piped
from captcha_exp.training.fit import train
from captcha_exp.training.member_plan import Member

# Index and metrics of an epoch; or the exception that ended the training; or None when the process has ended.
Message = tuple[int, dict[str, float]] | BaseException | None
_FINISHED = "finished"
# A Ctrl-C during the imports must not end the process before `main` sees to that.
_START = """
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
from captcha_exp.terminal import quiet_stderr
with quiet_stderr():
    from captcha_exp.training.member_process import main
main()
"""


class MemberProcess:
    """The training of a member in another process.

    That process ends when this one does, even if this one is killed: it reads from a pipe that the kernel then closes.
    """

    def __init__(self, member: Member, messages: "SimpleQueue[tuple[Member, Message]]") -> None:
        """Start it. It puts its messages into a queue, and at its end (member, None)."""
        self._process = start_piped(["-c", _START])
        self._thread = Thread(target=self._talk, args=(member, messages), daemon=True)
        self._thread.start()

    def end(self) -> int:
        """Kill the process, unless it has ended, and return its exit code."""
        return end_piped(self._process, self._thread)

    def _talk(self, member: Member, messages: "SimpleQueue[tuple[Member, Message]]") -> None:
        # The process reads only after seconds of imports, and a pipe is too small for a whole member.
        with suppress(BrokenPipeError):
            send(self._process, member)
        for message in received(self._process):
            messages.put((member, message))
        self._process.wait()
        messages.put((member, None))


def is_finished(member: Member) -> bool:
    """Tell whether a member was trained to the end. Its checkpoint then has its best weights."""
    return (member.folder / _FINISHED).exists()


def main() -> None:
    """Read a member from standard input, train it, and write messages to standard output."""
    answer = answering()
    member: Member = pickle.load(sys.stdin.buffer)
    Thread(target=_end_with_parent, daemon=True).start()
    try:
        _train(member, answer)
    except Exception as error:  # the parent raises it
        answer(_portable(error))


def _train(member: Member, answer: Callable[[Any], None]) -> None:
    config, characters = member.config, member.characters
    configure_threads(config.training.threads)
    model = build_configured(config, len(characters) + 1)
    if member.initial_weights is not None:
        model.set_weights(member.initial_weights)

    def on_epoch(epoch: int, metrics: dict[str, float]) -> bool:
        answer((epoch, metrics))
        return False

    decoder = label_decoder(config.decoding, characters, member.learnt.labels)
    train(model, member.learnt, member.held_out, decoder, config, on_epoch, member.folder)
    (member.folder / _FINISHED).touch()


def _end_with_parent() -> None:
    while os.read(0, 1):  # it returns nothing when the parent has ended
        pass
    os._exit(1)


def _portable(error: Exception) -> Exception:
    """The exception with its traceback as a note, or if it cannot be sent, another with its message."""
    error.add_note("".join(traceback.format_exception(error)))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError("".join(traceback.format_exception(error)))
    return error

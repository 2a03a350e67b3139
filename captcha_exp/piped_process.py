"""Other processes of this program, which get and send pickled messages through pipes.

Such a process ends when its parent does, even if the parent is killed, because the kernel then closes the pipe.
"""

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from threading import Thread
from typing import IO, Any


def start_piped(arguments: Sequence[str], **environment: str) -> "subprocess.Popen[bytes]":
    """Start `python ARGUMENTS`. The process finds modules where this one does."""
    path = os.pathsep.join(filter(None, sys.path))
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path, **environment},
    )


def send(process: "subprocess.Popen[bytes]", message: Any) -> None:
    """Send a message. This waits until the process reads, if the pipe is full.

    Raises:
        BrokenPipeError: the process has ended.
    """
    pipe = _opened(process.stdin)
    pickle.dump(message, pipe)
    pipe.flush()


def received(process: "subprocess.Popen[bytes]") -> Iterator[Any]:
    """Yield the messages of a process, until it ends."""
    with suppress(EOFError, pickle.UnpicklingError):
        while True:
            yield pickle.load(_opened(process.stdout))


def end_piped(process: "subprocess.Popen[bytes]", reader: Thread) -> int:
    """Kill a process unless it has ended, wait for the thread that reads its messages, and return the exit code."""
    process.kill()
    code = process.wait()
    reader.join()
    for pipe in (process.stdin, process.stdout):
        with suppress(BrokenPipeError):  # closing the pipe flushes data that the process will never read
            _opened(pipe).close()
    return code


def answering() -> Callable[[Any], None]:
    """In the started process: a function that sends a message. What is printed goes to standard error from now on."""
    # Ctrl-C reaches the whole process group; the parent handles it and ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # printed text must not get between the messages

    def answer(message: Any) -> None:
        pickle.dump(message, answers)
        answers.flush()

    return answer


def _opened(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise RuntimeError("The process was started without pipes.")
    return pipe

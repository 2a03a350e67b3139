"""Work on many files chunk by chunk, in child processes if that is faster."""

import os
import pickle
import sys
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from captcha_exp.piped_process import answering, end_piped, received, send, start_piped

CHUNK = 64
_AHEAD = 2  # chunks that a child has, including the one in progress
# A child process needs about half a second to start. Less work than this is done sooner without it.
WORTH_CHILDREN_S = 1.5

Result = TypeVar("Result")
Work = Callable[[int, Sequence[str]], Result]


def in_chunks(
    work: Work[Result], locators: Sequence[str], worth_children_s: float = WORTH_CHILDREN_S
) -> Iterator[Result]:
    """Do some work on every file, and yield the results of the chunks in order.

    The work begins in this process. If more than `worth_children_s` seconds of work are left, judged by the chunks
    so far, it continues in one child per core.

    Args:
        work: called with the index of a chunk's first file and the chunk. It and its results must be picklable.
        locators: paths or other names of the files.
        worth_children_s: the least work that is worth child processes.

    Raises:
        RuntimeError: a child ended by itself; the message names its files.
        Exception: any exception of `work`, here or in a child.
    """
    chunks = [(first, locators[first : first + CHUNK]) for first in range(0, len(locators), CHUNK)]
    started = time.perf_counter()
    for done, (first, chunk) in enumerate(chunks, start=1):
        yield work(first, chunk)
        seconds_left = (time.perf_counter() - started) / done * (len(chunks) - done)
        if seconds_left > worth_children_s and cores() > 1:
            yield from _in_children(work, chunks[done:])
            return


def cores() -> int:
    """How many of the machine's cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _in_children(work: Work[Result], chunks: Sequence[tuple[int, Sequence[str]]]) -> Iterator[Result]:
    """Give the chunks to the children in turn. Each child has one more chunk than it works on."""
    with ExitStack() as stack:
        children = [stack.enter_context(_Child(work)) for _ in range(min(cores(), len(chunks)))]
        ahead = _AHEAD * len(children)
        for turn, chunk in enumerate(chunks[:ahead]):
            children[turn % len(children)].ask(chunk)
        for turn in range(len(chunks)):
            child = children[turn % len(children)]
            result = child.answer()
            if turn + ahead < len(chunks):
                child.ask(chunks[turn + ahead])
            yield result


class _Child:
    """A process that runs `main`, below.

    multiprocessing and joblib do not fit: forking is unsafe beside TensorFlow's threads, spawning runs the user's main
    module again, and joblib's children live for minutes after this process was killed. These children end when their
    standard input does.
    """

    def __init__(self, work: Work[Any]) -> None:
        # It gets one thread, as there are as many children as cores.
        self._process = start_piped(["-m", "captcha_exp.child_processes"], OPENBLAS_NUM_THREADS="1")
        self._answers: SimpleQueue[Any] = SimpleQueue()
        # Read answers as they arrive: a child that cannot write its answer does not read its input either.
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()
        self._asked: deque[Sequence[str]] = deque()
        self._send(work)

    def __enter__(self) -> "_Child":
        return self

    def __exit__(self, *_: object) -> None:
        end_piped(self._process, self._reader)

    def ask(self, chunk: tuple[int, Sequence[str]]) -> None:
        self._asked.append(chunk[1])
        self._send(chunk)

    def answer(self) -> Any:
        """The result of the oldest chunk that has no answer yet."""
        answer = self._answers.get()
        if answer is None:
            raise self._ended()
        if isinstance(answer, BaseException):
            raise answer
        self._asked.popleft()
        return answer

    def _send(self, message: Any) -> None:
        try:
            send(self._process, message)
        except BrokenPipeError as error:
            raise self._ended() from error

    def _read(self) -> None:
        for answer in received(self._process):
            self._answers.put(answer)
        self._answers.put(None)

    def _ended(self) -> RuntimeError:
        code = self._process.wait()
        where = f", at one of the files {self._asked[0][0]} to {self._asked[0][-1]}" if self._asked else ""
        return RuntimeError(f"A child process ended early (exit code {code}){where}.")


def main() -> None:
    """Run a child: read work and chunks from standard input until it ends, write results or exceptions."""
    answer = answering()
    # Pillow warns of damaged files, but the report names them anyway.
    warnings.filterwarnings("ignore", module="PIL")
    work: Work[Any] = pickle.load(sys.stdin.buffer)
    while True:
        try:
            first, locators = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            result = work(first, locators)
        except Exception as error:  # the parent raises it
            result = error
        answer(result)


if __name__ == "__main__":
    main()

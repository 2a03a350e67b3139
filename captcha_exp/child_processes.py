"""Work on many files chunk by chunk, in child processes once that is faster."""

import os
import pickle
import signal
import subprocess
import sys
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from queue import SimpleQueue
from threading import Thread
from typing import IO, Any, TypeVar

CHUNK = 64
_AHEAD = 2  # chunks that a child has, the one it works on among them
# A child process is ready after about half a second: less work than this is done before they would be.
WORTH_CHILDREN_S = 1.5

Result = TypeVar("Result")
Work = Callable[[int, Sequence[str]], Result]


def in_chunks(
    work: Work[Result], locators: Sequence[str], worth_children_s: float = WORTH_CHILDREN_S
) -> Iterator[Result]:
    """Do some work on every file, and give the results chunk by chunk and in order.

    It begins in this process and goes on in one child per core once more than `worth_children_s` seconds of work,
    judged by the chunks so far, are left.

    Args:
        work: called with the place of a chunk's first file among all, and the chunk; picklable, as are its results.
        locators: what names the files.
        worth_children_s: the work that is worth child processes.

    Raises:
        RuntimeError: a child ended by itself; the message names the files it had.
        Exception: whatever `work` raises, here or in a child.
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
    """Chunks go to the children in turn, each having one more than it works on."""
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

    Neither multiprocessing nor joblib: forking is unsafe beside TensorFlow's threads, spawning runs the user's main
    module again, and joblib's children live on for minutes after this process was killed. These end when their
    standard input does.
    """

    def __init__(self, work: Work[Any]) -> None:
        # A child finds modules where this process does. One thread each: there are as many children as cores.
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OPENBLAS_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "captcha_exp.child_processes"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )
        self._answers: SimpleQueue[Any] = SimpleQueue()
        # Answers are read as they come: a child that could not write one would not read what it is sent either.
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()
        self._asked: deque[Sequence[str]] = deque()
        self._send(work)

    def __enter__(self) -> "_Child":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(BrokenPipeError):  # closing flushes what the child will never read
                self._pipe(pipe).close()

    def ask(self, chunk: tuple[int, Sequence[str]]) -> None:
        self._asked.append(chunk[1])
        self._send(chunk)

    def answer(self) -> Any:
        """The result of the chunk asked for longest ago."""
        answer = self._answers.get()
        if answer is None:
            raise self._ended()
        if isinstance(answer, BaseException):
            raise answer
        self._asked.popleft()
        return answer

    def _send(self, message: Any) -> None:
        pipe = self._pipe(self._process.stdin)
        try:
            pickle.dump(message, pipe)
            pipe.flush()
        except BrokenPipeError as error:
            raise self._ended() from error

    def _read(self) -> None:
        try:
            while True:
                self._answers.put(pickle.load(self._pipe(self._process.stdout)))
        except (EOFError, pickle.UnpicklingError):
            self._answers.put(None)

    def _ended(self) -> RuntimeError:
        code = self._process.wait()
        where = f", at one of the files {self._asked[0][0]} to {self._asked[0][-1]}" if self._asked else ""
        return RuntimeError(f"A child process ended early (exit code {code}){where}.")

    @staticmethod
    def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
        if pipe is None:
            raise RuntimeError("The child process was started without pipes.")
        return pipe


def main() -> None:
    """A child: work and chunks in on standard input, results out, until that input ends; an exception is one too."""
    # Ctrl-C reaches the whole process group; the parent handles it and ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Pillow warns of damage in files that are going to be named in the report anyway.
    warnings.filterwarnings("ignore", module="PIL")
    # Whatever prints must not get between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    work: Work[Any] = pickle.load(sys.stdin.buffer)
    while True:
        try:
            first, locators = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            answer = work(first, locators)
        except Exception as error:  # told to the parent, which raises it
            answer = error
        pickle.dump(answer, answers)
        answers.flush()


if __name__ == "__main__":
    main()

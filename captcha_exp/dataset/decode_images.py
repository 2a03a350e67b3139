"""Images decoded in chunks, on as many cores as it pays for."""

import hashlib
import os
import pickle
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import IO, Any

from captcha_exp.reader.image import BadImageError, ImageSpec, decode_image

CHUNK = 64
_AHEAD = 2  # chunks that a child has, the one it works on among them
_REASON_LENGTH = 200
# A child process is ready after about half a second: less work than this is done before they would be.
WORTH_CHILDREN_S = 1.5
Loader = Callable[[str], bytes]


# What became of a sample: the digests of its file and of its pixels, or the reason why it is skipped.
Outcome = tuple[str, str] | str


@dataclass(frozen=True)
class Job:
    """What every process needs: images are written at their sample's place in the file `output`."""

    load: Loader
    spec: ImageSpec
    output: str


def decode_chunk(job: Job, output: int, first: int, locators: Sequence[str]) -> list[Outcome]:
    """Decode samples `first`, `first + 1`, ... into the file descriptor `output`."""
    outcomes: list[Outcome] = []
    image_bytes = job.spec.height * job.spec.width
    for index, locator in enumerate(locators, start=first):
        try:
            data = job.load(locator)
            pixels = decode_image(data, job.spec).tobytes()
        except BadImageError as error:
            outcomes.append(str(error)[:_REASON_LENGTH])
            continue
        # Positioned writes and not a memory map: on a full disk they raise where a map would kill the process.
        _write_all(output, pixels, index * image_bytes)
        outcomes.append((digest(data), digest(pixels)))
    return outcomes


def decode_all(
    job: Job, locators: Sequence[str], worth_children_s: float = WORTH_CHILDREN_S
) -> Iterator[list[Outcome]]:
    """Decode samples chunk by chunk and in order.

    It begins in this process and goes on in one child per core once more than `worth_children_s` seconds of work,
    judged by the chunks so far, are left.
    """
    chunks = [(start, locators[start : start + CHUNK]) for start in range(0, len(locators), CHUNK)]
    output = os.open(job.output, os.O_RDWR)
    try:
        started = time.perf_counter()
        for done, (start, chunk) in enumerate(chunks, start=1):
            yield decode_chunk(job, output, start, chunk)
            seconds_left = (time.perf_counter() - started) / done * (len(chunks) - done)
            if seconds_left > worth_children_s and _cores() > 1:
                yield from _decode_in_children(job, chunks[done:])
                return
    finally:
        os.close(output)


def _decode_in_children(job: Job, chunks: Sequence[tuple[int, Sequence[str]]]) -> Iterator[list[Outcome]]:
    """Chunks go to the children in turn, each having one more than it works on."""
    with ExitStack() as stack:
        children = [stack.enter_context(_Child(job)) for _ in range(min(_cores(), len(chunks)))]
        ahead = _AHEAD * len(children)
        for turn, chunk in enumerate(chunks[:ahead]):
            children[turn % len(children)].ask(chunk)
        for turn in range(len(chunks)):
            child = children[turn % len(children)]
            outcomes = child.answer()
            if turn + ahead < len(chunks):
                child.ask(chunks[turn + ahead])
            yield outcomes


class _Child:
    """A process that runs `captcha_exp.dataset.decode_worker`.

    Not multiprocessing: forking is unsafe beside TensorFlow's threads, and spawning runs the user's main module again.
    A child ends when its standard input does, so killing this process leaves none behind.
    """

    def __init__(self, job: Job) -> None:
        # A child finds modules where this process does. One thread each: there are as many children as cores.
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OPENBLAS_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "captcha_exp.dataset.decode_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )
        self._answers: SimpleQueue[Any] = SimpleQueue()
        # Answers are read as they come: a child that could not write one would not read what it is sent either.
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()
        self._asked: deque[Sequence[str]] = deque()
        self._send(job)

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

    def answer(self) -> list[Outcome]:
        """The outcomes of the chunk asked for longest ago."""
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
        return RuntimeError(f"A decoding process ended early (exit code {code}){where}.")

    @staticmethod
    def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
        if pipe is None:
            raise RuntimeError("The decoding process was started without pipes.")
        return pipe


def _write_all(output: int, data: bytes, offset: int) -> None:
    while data:
        written = os.pwrite(output, data, offset)
        data, offset = data[written:], offset + written


def digest(data: bytes) -> str:
    """What tells images and files apart, in 32 hexadecimal digits."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def create_output(path: Path, samples: int, spec: ImageSpec) -> None:
    """A file with a place for each sample's image; places of skipped samples stay holes."""
    with path.open("wb") as file:
        file.truncate(samples * spec.height * spec.width)

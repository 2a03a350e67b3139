"""Images decoded in chunks, on as many cores as it pays for."""

import hashlib
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import IO, Any

from captcha_exp.image import BadImageError, ImageSpec, decode_image

CHUNK = 64
# A child process is ready after about half a second: less work than this is done before they would be.
WORTH_CHILDREN_S = 1.5
Loader = Callable[[str], bytes]


@dataclass(frozen=True)
class Decoded:
    """What became of a chunk of samples: for each its content and pixel digests, or the reason why it is skipped."""

    first: int
    outcomes: list[tuple[bytes, bytes] | str]


@dataclass(frozen=True)
class Job:
    """What every process needs: images are written at their sample's place in the file `output`."""

    load: Loader
    spec: ImageSpec
    output: str


def decode_chunk(job: Job, output: int, first: int, locators: Sequence[str]) -> Decoded:
    """Decode samples `first`, `first + 1`, ... into the file descriptor `output`."""
    outcomes: list[tuple[bytes, bytes] | str] = []
    image_bytes = job.spec.height * job.spec.width
    for index, locator in enumerate(locators, start=first):
        try:
            data = job.load(locator)
            pixels = decode_image(data, job.spec).tobytes()
        except BadImageError as error:
            outcomes.append(str(error))
            continue
        # Positioned writes and not a memory map: on a full disk they raise where a map would kill the process.
        _write_all(output, pixels, index * image_bytes)
        outcomes.append((_digest(data), _digest(pixels)))
    return Decoded(first, outcomes)


def decode_all(job: Job, locators: Sequence[str], worth_children_s: float = WORTH_CHILDREN_S) -> Iterator[Decoded]:
    """Decode every sample, chunk by chunk and in order.

    It begins in this process and goes on in one child per core once more than `worth_children_s` seconds of work,
    judged by the chunks so far, are left.
    """
    chunks = [(first, locators[first : first + CHUNK]) for first in range(0, len(locators), CHUNK)]
    output = os.open(job.output, os.O_RDWR)
    try:
        started = time.perf_counter()
        for done, (first, chunk) in enumerate(chunks, start=1):
            yield decode_chunk(job, output, first, chunk)
            seconds_left = (time.perf_counter() - started) / done * (len(chunks) - done)
            if seconds_left > worth_children_s and _cores() > 1:
                yield from _decode_in_children(job, chunks[done:])
                return
    finally:
        os.close(output)


def _decode_in_children(job: Job, chunks: Sequence[tuple[int, Sequence[str]]]) -> Iterator[Decoded]:
    """One chunk at a time for each child: the answer is read before the next is sent, so no pipe fills up."""
    with ExitStack() as stack:
        children = [stack.enter_context(_Child(job)) for _ in range(min(_cores(), len(chunks)))]
        for child, chunk in zip(children, chunks, strict=False):
            child.send(chunk)
        waiting = iter(chunks[len(children) :])
        for turn, _ in zip(count(), chunks, strict=False):
            child = children[turn % len(children)]
            decoded = child.receive()
            following = next(waiting, None)
            if following is not None:
                child.send(following)
            yield decoded


class _Child:
    """A process that runs `captcha_exp.dataset.worker`.

    Not multiprocessing: forking is unsafe beside TensorFlow's threads, and spawning runs the user's main module again.
    A child ends when its standard input does, so killing this process leaves none behind.
    """

    def __init__(self, job: Job) -> None:
        # A child finds modules where this process does. One thread each: there are as many children as cores.
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OPENBLAS_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "captcha_exp.dataset.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )
        self.send(job)

    def __enter__(self) -> "_Child":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(BrokenPipeError):  # closing flushes what the child will never read
                self._pipe(pipe).close()

    def send(self, message: Any) -> None:
        pipe = self._pipe(self._process.stdin)
        try:
            pickle.dump(message, pipe)
            pipe.flush()
        except BrokenPipeError as error:
            raise self._ended() from error

    def receive(self) -> Decoded:
        try:
            answer = pickle.load(self._pipe(self._process.stdout))
        except EOFError as error:
            raise self._ended() from error
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def _ended(self) -> RuntimeError:
        return RuntimeError(f"A decoding process ended early (exit code {self._process.wait()}).")

    @staticmethod
    def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
        if pipe is None:
            raise RuntimeError("The decoding process was started without pipes.")
        return pipe


def _write_all(output: int, data: bytes, offset: int) -> None:
    while data:
        written = os.pwrite(output, data, offset)
        data, offset = data[written:], offset + written


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def create_output(path: Path, samples: int, spec: ImageSpec) -> None:
    """A file with a place for each sample's image; places of skipped samples stay holes."""
    with path.open("wb") as file:
        file.truncate(samples * spec.height * spec.width)

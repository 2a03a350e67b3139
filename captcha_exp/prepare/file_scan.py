"""Every file of a dataset inspected, on as many cores as it pays for."""

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass

from captcha_exp.prepare.file_inspection import Damage, Damaged, FileFacts, inspect
from captcha_exp.reader.image import BadImageError, ImageSpec

_CHUNK = 64
# A child process is ready after about two seconds: less work than this is done before they would be.
_WORTH_CHILDREN_S = 5.0
_PROGRESS_EVERY_S = 5.0
_CHUNKS_WAITING = 4  # for each child, so that none idles and nothing piles up
Found = list[FileFacts | Damaged]


@dataclass(frozen=True)
class Inspector:
    """Inspects the files behind locators; picklable if `load` is."""

    load: Callable[[str], bytes]
    spec: ImageSpec

    def __call__(self, locators: Sequence[str]) -> Found:
        return [self._one(locator) for locator in locators]

    def _one(self, locator: str) -> FileFacts | Damaged:
        try:
            return inspect(self.load(locator), self.spec)
        except BadImageError as error:  # the file cannot even be read
            return Damaged(Damage.unreadable, str(error))


def scan(inspector: Inspector, locators: Sequence[str], report: Callable[[str], None]) -> Found:
    """What every file holds, in the order of `locators`.

    Args:
        inspector: reads the files.
        locators: as the source's loader takes them.
        report: told of progress.
    """
    found: Found = []
    started = reported = time.monotonic()
    for part in _parts(inspector, [locators[first : first + _CHUNK] for first in range(0, len(locators), _CHUNK)]):
        found += part
        now = time.monotonic()
        if now - reported > _PROGRESS_EVERY_S:
            reported = now
            report(f"audited {len(found)} of {len(locators)} images ({len(found) / (now - started):.0f}/s)")
    return found


def _parts(inspector: Inspector, chunks: Sequence[Sequence[str]]) -> Iterator[Found]:
    """One result for each chunk: the first ones made here, and the others in children where that is faster."""
    started = time.monotonic()
    for done, chunk in enumerate(chunks, start=1):
        yield inspector(chunk)
        seconds_left = (time.monotonic() - started) / done * (len(chunks) - done)
        # Of the first chunk, half the time goes into imports.
        if done > 1 and seconds_left > _WORTH_CHILDREN_S and _cores() > 1:
            yield from _in_children(inspector, chunks[done:])
            return


def _in_children(inspector: Inspector, chunks: Sequence[Sequence[str]]) -> Iterator[Found]:
    # Spawned and not forked: TensorFlow's threads may be running here.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(_cores(), context, initializer=_begin_child) as pool:
        waiting: deque[Future[Found]] = deque()
        try:
            for chunk in chunks:
                waiting.append(pool.submit(inspector, chunk))
                if len(waiting) > _CHUNKS_WAITING * _cores():
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _begin_child() -> None:
    # Ctrl-C reaches the whole process group; the parent handles it and ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A killed parent cannot end its children, and they would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

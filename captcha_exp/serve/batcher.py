"""Requests that wait at the same time, read together."""

import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from io import BytesIO

from PIL import Image

from captcha_exp.reader.decoding import Constraint
from captcha_exp.reader.image import FORMATS, MAX_PIXELS, BadImageError
from captcha_exp.reader.predictor import BATCH_SIZE, Reading
from captcha_exp.serve.model_holder import Held, ModelHolder


@dataclass(frozen=True)
class ReadOptions:
    """How images are read; images of equal options can be read together."""

    constraint: Constraint | None = None
    alternatives: int = 0
    with_probabilities: bool = False


@dataclass(frozen=True)
class Answer:
    """What `model` read in each file, or why it could not."""

    model: Held
    readings: list[Reading | BadImageError]


@dataclass(frozen=True)
class _Job:
    files: Sequence[bytes]
    options: ReadOptions
    answer: "Future[Answer]"


class Batcher:
    """Reads images in a thread of its own, each time as many of those that wait as fit a batch.

    No request waits for others to come: a batch is what gathered while the last one was read. `benchmarks.serve_load`
    measures what that saves.
    """

    def __init__(self, models: ModelHolder, most_pixels: int) -> None:
        """Start the thread; an image of more than `most_pixels` is not decoded."""
        self._models, self._most_pixels = models, most_pixels
        self._waiting: deque[_Job] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="read", daemon=True)
        self._thread.start()

    def submit(self, files: Sequence[bytes], options: ReadOptions) -> "Future[Answer]":
        """Have files read.

        The future raises InputError where no text that the model can read satisfies the constraint.
        """
        job = _Job(files, options, Future())
        with self._changed:
            if self._closed:
                raise RuntimeError("the server is stopping")
            self._waiting.append(job)
            self._changed.notify()
        return job.answer

    def close(self) -> None:
        """Read what waits, then end."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        while jobs := self._next():
            running = [job for job in jobs if job.answer.set_running_or_notify_cancel()]
            try:
                answers = self._read(running)
            except Exception as error:
                for job in running:
                    job.answer.set_exception(error)
            else:
                for job, answer in zip(running, answers, strict=True):
                    job.answer.set_result(answer)

    def _next(self) -> list[_Job]:
        """The jobs of the next batch; none when there will be no more."""
        with self._changed:
            while not self._waiting and not self._closed:
                self._changed.wait()
            if not self._waiting:
                return []
            jobs = [self._waiting.popleft()]
            images = len(jobs[0].files)
            for job in list(self._waiting):
                if job.options == jobs[0].options and images + len(job.files) <= BATCH_SIZE:
                    self._waiting.remove(job)
                    jobs.append(job)
                    images += len(job.files)
            return jobs

    def _read(self, jobs: list[_Job]) -> list[Answer]:
        if not jobs:
            return []
        model, options = self._models.current, jobs[0].options
        files = [data for job in jobs for data in job.files]
        problems = [pixel_problem(data, self._most_pixels) for data in files]
        readable = [data for data, problem in zip(files, problems, strict=True) if problem is None]
        found = iter(
            model.predictor.read(readable, options.constraint, options.alternatives, options.with_probabilities)
        )
        readings = iter([problem or next(found) for problem in problems])
        return [Answer(model, [next(readings) for _ in job.files]) for job in jobs]


def pixel_problem(data: bytes, most_pixels: int) -> BadImageError | None:
    """Why an image is too large to be decoded, told from its header; None where it is not."""
    if most_pixels >= MAX_PIXELS:
        return None  # the predictor has the same limit
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as image:
            width, height = image.size
    except Exception:  # the predictor says what is wrong with the file
        return None
    if width * height > most_pixels:
        return BadImageError(f"{width}x{height} is more than {most_pixels} pixels")
    return None

"""Read requests together that wait at the same time."""

import contextlib
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, replace
from functools import partial

from captcha_exp.reader.decoding import Automaton, Constraint
from captcha_exp.reader.image_formats import BadImageError
from captcha_exp.reader.predictor import BATCH_SIZE, Reading
from captcha_exp.serve.model_holder import Held, ModelHolder
from captcha_exp.serve.work_thread import Worker

# Most prepared jobs that wait, and images that are read with an automaton between two checks for cancelled requests.
_PREPARED = 8
_KNOWN_AT_ONCE = 8
# If a piece of work takes longer than this, it is treated as hanging.
STUCK_S = 10.0


@dataclass(frozen=True)
class ReadOptions:
    """How images are read. Images with equal options can be read together."""

    constraint: Constraint | None = None
    alternatives: int = 0
    with_probabilities: bool = False


@dataclass(frozen=True)
class Answer:
    """What `model` read in each file, or why it could not."""

    model: Held
    readings: list[Reading | BadImageError]


class UnansweredError(Exception):
    """A request was not read, for a reason outside of it; the message gives the reason."""


@dataclass(frozen=True, eq=False)
class _Job:
    """A request. After its constraint is prepared, it also has the model and the automaton that read it."""

    files: Sequence[bytes]
    options: ReadOptions
    answer: "Future[Answer]"
    model: Held | None = None
    automaton: Automaton | None = None


class Batcher:
    """Reads images in its own threads. Each batch has as many of the waiting images as fit.

    No request waits for others: a batch holds what arrived while the last batch was read. `benchmarks.serve_load`
    measures what that saves. If a request has a constraint, a second thread prepares it and a third thread reads the
    images, so that costly constraints do not delay requests without one.
    """

    def __init__(self, models: ModelHolder, most_pixels: int) -> None:
        """Start the threads. Images of more than `most_pixels` are not decoded."""
        self._models, self._most_pixels = models, most_pixels
        self._closed = False
        self._unanswered: set[Future[Answer]] = set()
        self._plain = Worker("read", self._read_plain, _batch)
        self._known = Worker("read-known", self._read_known, _batch)
        self._preparing = Worker("prepare", self._prepare, _batch)

    def submit(self, files: Sequence[bytes], options: ReadOptions) -> "Future[Answer]":
        """Queue files to be read. If the future is cancelled, waiting files are not read, and reading stops soon.

        The future raises InputError if no text that the model can read satisfies the constraint, and
        UnansweredError if the server stops before the files are read.
        """
        job = _Job(files, options, Future())
        if self._closed:
            raise UnansweredError("the server is stopping")
        self._unanswered.add(job.answer)
        job.answer.add_done_callback(self._unanswered.discard)
        self._put(self._plain if options.constraint is None else self._preparing, [job])
        return job.answer

    @property
    def busy_s(self) -> float:
        """Seconds since the oldest piece of work in progress began."""
        return max(worker.busy_s for worker in (self._plain, self._known, self._preparing))

    def give_up(self) -> None:
        """Answer waiting and new requests with UnansweredError."""
        self._closed = True
        for answer in list(self._unanswered):
            _settle(answer, UnansweredError("the server is stopping"))

    def close(self, patience_s: float = 1.0) -> None:
        """Read what waits for at most `patience_s` seconds, give up the rest, and leave a hanging thread behind."""
        self._closed = True
        until = time.monotonic() + patience_s
        for worker in (self._plain, self._preparing, self._known):
            worker.close(max(0.0, until - time.monotonic()))
        self.give_up()

    def _put(self, worker: "Worker[_Job]", jobs: list[_Job], room: int | None = None) -> None:
        worker.put(jobs, room)
        for job in jobs:  # free the files as soon as nobody waits for the job
            job.answer.add_done_callback(partial(_forget, worker))

    def _prepare(self, jobs: list[_Job]) -> None:
        waiting = [job for job in jobs if not job.answer.done()]
        if not waiting or waiting[0].options.constraint is None:
            return
        model = self._models.current
        try:
            automaton = model.predictor.automaton(waiting[0].options.constraint)
        except Exception as error:
            for job in waiting:
                _settle(job.answer, error)
            return
        self._preparing.pause()
        # Limit the prepared jobs that wait, because each may hold its own automaton.
        self._put(self._known, [replace(job, model=model, automaton=automaton) for job in waiting], _PREPARED)

    def _read_plain(self, jobs: list[_Job]) -> None:
        self._read(self._plain, jobs, self._models.current, BATCH_SIZE)

    def _read_known(self, jobs: list[_Job]) -> None:
        # Read few at a time, so that cancelled requests are dropped soon.
        self._read(self._known, jobs, jobs[0].model or self._models.current, _KNOWN_AT_ONCE)

    def _read(self, worker: "Worker[_Job]", jobs: list[_Job], model: Held, at_once: int) -> None:
        waiting = [job for job in jobs if not job.answer.done()]
        files = [data for job in waiting for data in job.files]
        readings: list[Reading | BadImageError] = []
        try:
            for start in range(0, len(files), at_once):
                if all(job.answer.done() for job in waiting):
                    return
                worker.sign()
                readings += self._read_batch(files[start : start + at_once], waiting[0], model)
        except Exception as error:
            for job in waiting:
                _settle(job.answer, error)
            return
        for job in waiting:
            _settle(job.answer, Answer(model, readings[: len(job.files)]))
            del readings[: len(job.files)]

    def _read_batch(self, files: list[bytes], job: _Job, model: Held) -> list[Reading | BadImageError]:
        automaton, options = job.automaton, job.options
        return model.predictor.read_within(
            files, automaton, options.alternatives, options.with_probabilities, self._most_pixels
        )


def _batch(waiting: deque[_Job]) -> list[_Job]:
    """The first job, and as many jobs of the same kind as fit into a batch."""
    first = waiting.popleft()
    jobs, images = [first], len(first.files)
    for job in list(waiting):
        alike = job.options == first.options and job.automaton is first.automaton and job.model is first.model
        if alike and images + len(job.files) <= BATCH_SIZE:
            waiting.remove(job)
            jobs.append(job)
            images += len(job.files)
    return jobs


def _forget(worker: "Worker[_Job]", answer: "Future[Answer]") -> None:
    # Do not pass the job: the future would keep the job, its automaton and its files alive.
    worker.discard(lambda job: job.answer is answer)


def _settle(answer: "Future[Answer]", result: Answer | Exception) -> None:
    with contextlib.suppress(InvalidStateError):  # nobody waits any more
        if isinstance(result, Exception):
            answer.set_exception(result)
        else:
            answer.set_result(result)

"""The process that a user starts: it starts workers, shows what they do, and stops them."""

import threading
import time
from pathlib import Path
from types import FrameType

from captcha_exp.errors import FullDiskError
from captcha_exp.files import full_disk, fullest, no_room
from captcha_exp.interruption import ended_by
from captcha_exp.sweep.absent_database import once_it_answers
from captcha_exp.sweep.ends import Ends
from captcha_exp.sweep.live_view import View
from captcha_exp.sweep.plan import SweepPlan
from captcha_exp.sweep.storage import NO_ANSWER, written_places
from captcha_exp.sweep.study import USED_UP, OpenStudy, take_worker_number
from captcha_exp.sweep.tally import Tally
from captcha_exp.sweep.worker_messages import EXIT_DATABASE, EXIT_FULL_DISK, EXIT_STORE_AWAY, WorkerOrder, told
from captcha_exp.sweep.worker_process import WorkerProcess, Workers

_POLL_S = 0.5
_STOP_WAIT_S = 15
_LOG_LINES = 3


class SweepFailedError(Exception):
    """The sweep cannot go on; the message is for the user."""


class Supervisor:
    """Starts workers, replaces workers that die, and stops all of them on a signal or at the end of the search.

    Attributes:
        end: why the search ended before its last trial; None if it did not.
    """

    def __init__(self, plan: SweepPlan, opened: OpenStudy, view: View, workers: Workers) -> None:
        self._plan, self._opened, self._view, self._places = plan, opened, view, workers
        self._workers: dict[int, WorkerProcess] = {}
        self._signal: int | None = None
        self._wake = threading.Event()
        self._deaths = self._wanted = 0
        self._silent = False
        self._last_ended = -1
        self._tally = opened.tally()
        self._since = max((t.number + 1 for t in self._tally.ended), default=0)
        self._ends = Ends(plan.config.sweep)
        self.end: str | None = None

    def run(self) -> int | None:
        """Work until the study is complete.

        Returns:
            The signal that ended the sweep early, or None.

        Raises:
            SweepFailedError: workers die again and again, or the first trials all fail in the same way.
            FullDiskError: there is no room to go on.
        """
        missing = self._plan.n_trials - len(self._tally.ended)
        if missing <= 0 or self._is_at_end():
            return None
        with ended_by(self._on_signal):
            try:
                self._wanted = min(self._plan.config.sweep.workers, missing)
                self._start_workers()
                while (self._workers or self._wanted) and self._signal is None:
                    self._wake.wait(_POLL_S)
                    self._tally = self._count()
                    self._view.update(self._tally)
                    if self._is_at_end():
                        break  # the trials that run are stopped, and wait for a search that goes on
                    self._check_hope()
                    self._tend()
                    self._start_workers()
            finally:
                self._stop_workers()
        if self._signal is None and self.end is None:
            self.end = self._used_up()
        return self._signal

    def _used_up(self) -> str | None:
        """Whether the sampler had nothing left to try."""
        kind = self._plan.config.sweep.sampler.kind
        missing = len(self._opened.tally().ended) < self._plan.n_trials  # a trial may have ended since the last count
        used_up = missing and once_it_answers(lambda: self._opened.study.user_attrs.get(USED_UP)) == kind
        return f"sweep.sampler.kind={kind} has tried everything" if used_up else None

    def _is_at_end(self) -> bool:
        """Whether the search ends although trials are missing. `end` then says why."""
        if len(self._tally.ended) < self._plan.n_trials:
            self.end = self._ends.reason(self._tally)
        return self.end is not None

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._signal is not None:  # the second signal kills at once
            self._kill()
        self._signal = number
        self._wake.set()

    def _count(self) -> Tally:
        try:
            tally = Tally(self._opened.study.get_trials(deepcopy=False))
            self._silent = False
            return tally
        except NO_ANSWER as error:
            self._told_silence(error)
            return self._tally

    def _told_silence(self, error: Exception) -> None:
        full = full_disk(error, *written_places(self._plan.config))
        if full is not None:
            raise full from error
        if not self._silent:
            self._view.say("the study's database does not answer; waiting for it")
        self._silent = True

    def _check_hope(self) -> None:
        limit = self._plan.config.sweep.stop_after_failures
        reason = self._tally.hopeless(limit, self._since)
        if reason is not None:
            raise SweepFailedError(f"the first {limit} trials all failed in the same way: {reason}")

    def _start_workers(self) -> None:
        """Start workers until there are enough."""
        try:
            while len(self._workers) < self._wanted:
                self._start_worker(take_worker_number(self._opened))
        except NO_ANSWER as error:
            self._told_silence(error)  # the next round tries again

    def _start_worker(self, number: int) -> None:
        threads = self._places.cores if self._plan.config.training.threads is None else None
        order = WorkerOrder(number, threads, self._since)
        self._workers[number] = self._places.start(order, self._log_path(number))

    def _tend(self) -> None:
        """Forget workers that are done, and replace workers that died."""
        ended = len(self._tally.ended)
        if ended > self._last_ended:
            self._last_ended, self._deaths = ended, 0
        for number, process in list(self._workers.items()):
            code = process.poll()
            if code is None:
                continue
            del self._workers[number]
            # Do this first: if a worker could not queue its trial again, the trial looks as if it had ended.
            if code == EXIT_FULL_DISK:
                raise self._full_disk(number)
            if code == EXIT_STORE_AWAY:
                raise SweepFailedError("the tracking server does not answer, and the trials have waited long enough")
            if code == 0 or ended >= self._plan.n_trials:
                self._wanted -= 1
                continue
            self._deaths += code != EXIT_DATABASE  # an outage ends by itself
            self._judge(number, code)
            self._view.say(f"worker {number} ended ({told(code)}); another takes its place")

    def _full_disk(self, number: int) -> FullDiskError:
        """The worker's message about the full disk. The disk may have had no room for it."""
        said = _last_lines(self._log_path(number), 1).removeprefix("error: ")
        whole = said.startswith("There is no room") and said.endswith("there.")
        return FullDiskError(said) if whole else no_room(fullest(*written_places(self._plan.config)))

    def _log_path(self, number: int) -> Path:
        return self._plan.folder / f"worker-{number}.log"

    def _judge(self, number: int, code: int) -> None:
        """Give up if more workers die in a row, with no trial ending, than retries can explain."""
        sweep = self._plan.config.sweep
        log_path = self._log_path(number)
        if self._deaths > (sweep.max_retries + 1) * sweep.workers:
            raise SweepFailedError(
                f"workers end before any trial does ({told(code)}); "
                f"{log_path} ends with: {_last_lines(log_path, _LOG_LINES)}"
            )

    def _stop_workers(self) -> None:
        for process in self._workers.values():
            process.terminate()
        deadline = time.monotonic() + _STOP_WAIT_S
        while time.monotonic() < deadline and any(process.poll() is None for process in self._workers.values()):
            time.sleep(0.05)
        self._kill()

    def _kill(self) -> None:
        for process in self._workers.values():
            process.kill()


def _last_lines(path: Path, count: int) -> str:
    lines = [line.strip() for line in path.read_text(errors="replace").splitlines() if line.strip()]
    return " | ".join(lines[-count:]) if lines else "no output"

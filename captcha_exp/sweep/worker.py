"""A worker: runs the trials of a study, one after another, each as a Hydra job."""

import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from types import FrameType
from typing import Any

import optuna
from optuna.exceptions import ExperimentalWarning, UpdateFinishedTrialError
from optuna.samplers import BruteForceSampler
from optuna.trial import TrialState

from captcha_exp.errors import StoreAwayError
from captcha_exp.files import full_disk
from captcha_exp.interruption import interrupt
from captcha_exp.sweep.absent_database import once_it_answers
from captcha_exp.sweep.expression import in_quotes
from captcha_exp.sweep.job_result import TrialFailedError, loss_of, reason_of, steps_of, values_of
from captcha_exp.sweep.job_trial import TRIAL, trial_name
from captcha_exp.sweep.known_trials import informed, known_trials
from captcha_exp.sweep.limits import note_limits
from captcha_exp.sweep.live_page import end_page
from captcha_exp.sweep.lost_trials import GivenUpError, Retries, retry
from captcha_exp.sweep.plan import SweepPlan
from captcha_exp.sweep.samplers import build_sampler, has_tried_all, worker_seed
from captcha_exp.sweep.storage import LOSS, NO_ANSWER, PROCESS, REASON, RUN_ID, SPANS, STEPS, written_places
from captcha_exp.sweep.study import USED_UP, OpenStudy, open_study
from captcha_exp.sweep.tally import Tally, TrialOutcome, spans_run
from captcha_exp.sweep.trial_process import this_process
from captcha_exp.sweep.trial_watch import at_most
from captcha_exp.sweep.worker_messages import (
    EXIT_DATABASE,
    EXIT_FULL_DISK,
    EXIT_STOPPED,
    EXIT_STORE_AWAY,
    WorkerOrder,
    end_with_supervisor,
)
from captcha_exp.terminal import log_with_dates, say

_POLL_S = 0.5

Launch = Callable[[list[str], int], Any]
log = log_with_dates(__name__)


class _LeaveTrial(BaseException):
    """Optuna lets it pass: it shall neither store nor log the end of a trial that has ended already."""


class Worker:
    """Runs trials until the study is complete or a signal stops it."""

    def __init__(self, plan: SweepPlan, order: WorkerOrder, launch: Launch) -> None:
        """Args:
        plan: the sweep.
        order: the supervisor's instructions for this worker.
        launch: runs one job with the given overrides and number, and returns the job's result.
        """
        self._plan, self._order, self._launch = plan, order, launch
        self._sampler = build_sampler(
            plan.config.sweep.sampler, plan.space, worker_seed(plan.config.sweep.sampler.seed, order.number)
        )
        self._retries = Retries(plan.folder, plan.config.sweep.max_retries)
        self._opened: OpenStudy
        self._stopping = self._in_job = self._is_store_away = False
        self._trial: optuna.Trial | None = None

    def run(self) -> int:
        """Work until nothing is left to do.

        Returns:
            The exit code: 0, or 143 after a stop.
        """
        try:
            self._opened = once_it_answers(lambda: open_study(self._plan.config, self._sampler))
            known = known_trials(self._opened.study, self._plan.config.sweep.warm_start)
            self._opened.study.sampler = informed(self._sampler, known, self._plan.space, self._plan.config.sweep)
            return self._work()
        except NO_ANSWER as error:
            self._end_if_full(error)
            log.exception("the study's database does not answer")
            return EXIT_DATABASE
        except Exception as error:
            self._end_if_full(error)
            raise

    def _work(self) -> int:
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        tidy = partial(end_page, self._plan.folder)
        threading.Thread(target=end_with_supervisor, args=[tidy], daemon=True).start()
        optuna.logging.set_verbosity(optuna.logging.INFO)
        log.info("worker %d begins, process %d", self._order.number, os.getpid())
        while not self._stopping:
            if once_it_answers(self._turn):
                return 0
        return EXIT_STORE_AWAY if self._is_store_away else EXIT_STOPPED

    def _turn(self) -> bool:
        """Wait for the lock and make a step. True if the study is complete."""
        if not self._opened.lock.acquire(lambda: self._stopping):
            return False
        try:
            return self._step()
        finally:
            self._opened.lock.release()

    def _step(self) -> bool:
        """Run one trial if there is a free slot; the lock is held at the start. True if the study is complete."""
        study, sweep = self._opened.study, self._plan.config.sweep
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            optuna.storages.fail_stale_trials(study)
        tally = Tally(study.get_trials(deepcopy=False))
        if tally.hopeless(sweep.stop_after_failures, self._order.since) is not None:
            return True
        if self._may_begin(tally):
            self._optimize(study)
        elif tally.running:
            # Other workers may die; then this worker retries their trials.
            self._opened.lock.release()
            time.sleep(_POLL_S)
        else:
            for trial in tally.of(TrialOutcome.paused):
                self._opened.storage.give_up(trial)
            return True
        return False

    def _may_begin(self, tally: Tally) -> bool:
        """Whether a trial begins now, or goes on."""
        free = tally.free_slots(self._plan.n_trials) > 0
        queued = free and bool(tally.of(TrialOutcome.waiting))
        new = free and not self._is_used_up(tally)
        halving, storage = self._opened.halving, self._opened.storage
        goes_on = None
        if halving is not None and not queued:
            goes_on = halving.next(tally, last=not new)
        storage.paused = {trial._trial_id for trial in tally.of(TrialOutcome.paused)}
        storage.goes_on = None if goes_on is None else goes_on._trial_id
        return queued or new or goes_on is not None

    def _optimize(self, study: optuna.Study) -> None:
        self._trial = None
        try:
            study.optimize(self._objective, n_trials=1, catch=(Exception,), gc_after_trial=True)
            self._trial = None  # it has ended, and cannot be lost any more
            if study._stop_flag:  # set by a sampler that has tried everything; Optuna has no public way to ask
                study.set_user_attr(USED_UP, self._plan.config.sweep.sampler.kind)
        except KeyboardInterrupt:
            if self._trial is not None:
                retry(study, self._frozen(self._trial), max_retries=None)
            log.info("stopped; the trial will be retried")
        except (Exception, _LeaveTrial):
            if self._trial is None or self._frozen(self._trial).state is TrialState.RUNNING:
                raise
            # For example, this machine slept. Others heard nothing, took the trial for lost, and retry it.
            log.warning("trial %d was given up by another worker while it ran here; it is retried", self._trial.number)

    def _is_used_up(self, tally: Tally) -> bool:
        """Whether the sampler has nothing left to try. Optuna tells it only when the last trial has ended."""
        kind = self._plan.config.sweep.sampler.kind
        if self._opened.study.user_attrs.get(USED_UP) == kind:
            return True
        return isinstance(self._sampler, BruteForceSampler) and has_tried_all(tally, self._plan.space)

    def _objective(self, trial: optuna.Trial) -> Sequence[float]:
        self._trial = trial
        try:
            return self._result(trial)
        except Exception as error:
            self._end_if_full(error)
            if not isinstance(error, NO_ANSWER):
                raise
            # The trial did not fail, but the study cannot store its state. Others retry the trials of a dead worker.
            self._retries.note_no_fault(trial.number)
            log.exception("the study's database does not answer; trial %d will be retried", trial.number)
            os._exit(EXIT_DATABASE)

    def _end_if_full(self, error: Exception) -> None:
        """A full disk is no failure of the trial. End at once, and write nothing to the study."""
        full = full_disk(error, *written_places(self._plan.config))
        if full is None:
            return
        if self._trial is not None:
            self._retries.note_no_fault(self._trial.number)
        with suppress(OSError):  # the log may be on that disk
            log.exception("the trial will be retried")
            say(f"error: {full}")
        os._exit(EXIT_FULL_DISK)

    def _result(self, trial: optuna.Trial) -> Sequence[float]:
        """Run the trial's job and return the trial's values. If the job fails, store the reason."""
        try:
            searched = self._plan.space.suggest(trial)
            trial.set_user_attr(PROCESS, this_process())
            self._opened.lock.release()
            returned = self._run_job(trial, searched)
            trial.set_user_attr(RUN_ID, returned["run_id"])
            trial.set_user_attr(LOSS, loss_of(returned))
            trial.set_user_attr(STEPS, steps_of(returned))
            if returned["state"] == "pruned" and self._opened.halving is not None:
                self._note_pause(trial)
            limits, whole = self._plan.config.sweep.constraints, returned["state"] == "finished"
            note_limits(trial, returned["metrics"], limits or {}, whole=whole)
            return values_of(returned, self._plan.config.sweep.objectives)
        except (optuna.TrialPruned, *NO_ANSWER):
            raise
        except StoreAwayError as error:
            log.warning("trial %d is put back: %s", trial.number, error)
            self._stopping = self._is_store_away = True
            self._opened.lock.acquire()
            raise KeyboardInterrupt from error
        except (GivenUpError, UpdateFinishedTrialError) as error:
            raise _LeaveTrial from error
        except KeyboardInterrupt:
            # Until the trial is queued again, nobody may count it as one that ended by itself.
            self._opened.lock.acquire()
            raise
        except BaseException as error:  # SystemExit too: a job must not end its worker
            if full_disk(error, *written_places(self._plan.config)) is not None:
                raise
            reason = reason_of(error)
            log.exception("trial %d failed: %s", trial.number, reason)
            trial.set_user_attr(REASON, reason)
            raise TrialFailedError(reason) from error

    def _note_pause(self, trial: optuna.Trial) -> None:
        spans = spans_run(self._frozen(trial), datetime.now())
        trial.set_user_attr(SPANS, [[start.isoformat(), end.isoformat()] for start, end in spans])

    def _run_job(self, trial: optuna.Trial, searched: list[str]) -> Any:
        overrides = [
            *([f"training.threads={self._order.threads}"] if self._order.threads is not None else []),
            *self._plan.arguments,
            *searched,
            f"root={in_quotes(str(self._plan.config.root_path))}",  # a launcher may start the job in another folder
            f"++hydra.job.env_set.{TRIAL}={trial.number}",
            f"hydra.sweep.subdir={trial_name(trial.number)}",
        ]
        try:
            self._in_job = True
            if self._stopping:
                raise KeyboardInterrupt
            with at_most(self._plan.config.sweep.trial_minutes, self._opened.study, trial):
                return self._launch(overrides, trial.number)
        finally:
            self._in_job = False

    def _frozen(self, trial: optuna.Trial) -> optuna.trial.FrozenTrial:
        return self._opened.storage.get_trial(trial._trial_id)

    def _stop(self, signum: int, frame: FrameType | None) -> None:
        # Interrupt only a job: elsewhere, an exception could leave a half-written result.
        first, self._stopping = not self._stopping, True
        if first and self._in_job:
            interrupt()

"""A worker: runs the trials of a study, one after another, each as a Hydra job."""

import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import FrameType
from typing import Any

import optuna
from hydra.core.override_parser.types import Quote, QuotedString
from optuna.exceptions import ExperimentalWarning
from optuna.trial import TrialState

from captcha_exp.files import full_disk
from captcha_exp.sweep.job_result import TrialFailedError, reason_of, values_of
from captcha_exp.sweep.job_trial import TRIAL, trial_name
from captcha_exp.sweep.lost_trials import Retries, retry
from captcha_exp.sweep.plan import SweepPlan
from captcha_exp.sweep.samplers import build_sampler, worker_seed
from captcha_exp.sweep.storage import NO_ANSWER, PROCESS, REASON, RUN_ID, written_places
from captcha_exp.sweep.study import OpenStudy, open_study
from captcha_exp.sweep.tally import Tally
from captcha_exp.sweep.trial_process import this_process
from captcha_exp.sweep.worker_messages import (
    EXIT_DATABASE,
    EXIT_FULL_DISK,
    EXIT_STOPPED,
    WorkerOrder,
    end_with_supervisor,
)
from captcha_exp.terminal import log_with_dates, say

_POLL_S = 0.5

Launch = Callable[[list[str], int], Any]
log = log_with_dates(__name__)


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
        self._stopping = self._in_job = False
        self._trial: optuna.Trial | None = None

    def run(self) -> int:
        """Work until nothing is left to do.

        Returns:
            The exit code: 0, or 143 after a stop.
        """
        try:
            self._opened = open_study(self._plan.config, self._sampler)
            return self._work()
        except Exception as error:
            self._end_if_full(error)
            raise

    def _work(self) -> int:
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        threading.Thread(target=end_with_supervisor, daemon=True).start()
        optuna.logging.set_verbosity(optuna.logging.INFO)
        log.info("worker %d begins, process %d", self._order.number, os.getpid())
        while not self._stopping and self._opened.lock.acquire(lambda: self._stopping):
            try:
                finished = self._step()
            finally:
                self._opened.lock.release()
            if finished:
                return 0
        return EXIT_STOPPED

    def _step(self) -> bool:
        """Run one trial if there is a free slot; the lock is held at the start. True if the study is complete."""
        study, sweep = self._opened.study, self._plan.config.sweep
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            optuna.storages.fail_stale_trials(study)
        tally = Tally(study.get_trials(deepcopy=False))
        if tally.hopeless(sweep.stop_after_failures, self._order.since) is not None:
            return True
        if tally.free_slots(self._plan.n_trials) > 0:
            self._optimize(study)
        elif tally.running:
            # Other workers may die; then this worker retries their trials.
            self._opened.lock.release()
            time.sleep(_POLL_S)
        else:
            return True
        return False

    def _optimize(self, study: optuna.Study) -> None:
        self._trial = None
        try:
            study.optimize(self._objective, n_trials=1, catch=(Exception,), gc_after_trial=True)
            self._trial = None  # it has ended, and cannot be lost any more
        except KeyboardInterrupt:
            if self._trial is not None:
                retry(study, self._frozen(self._trial), max_retries=None)
            log.info("stopped; the trial will be retried")
        except Exception:
            if self._trial is None or self._frozen(self._trial).state is TrialState.RUNNING:
                raise
            # For example, this machine slept. Others heard nothing, took the trial for lost, and retry it.
            log.warning("trial %d was given up by another worker while it ran here", self._trial.number)

    def _objective(self, trial: optuna.Trial) -> Sequence[float]:
        self._trial = trial
        try:
            return self._result(trial)
        except Exception as error:
            self._end_if_full(error)
            if not isinstance(error, NO_ANSWER):
                raise
            # The trial did not fail, but the study cannot store its state. Others retry the trials of a dead worker.
            log.exception("the study's database does not answer; trial %d will be retried", trial.number)
            os._exit(EXIT_DATABASE)

    def _end_if_full(self, error: Exception) -> None:
        """A full disk is no failure of the trial. End at once, and write nothing to the study."""
        full = full_disk(error, *written_places(self._plan.config))
        if full is None:
            return
        if self._trial is not None:
            self._retries.note_full_disk(self._trial.number)
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
            return values_of(returned, self._plan.config.sweep.objectives)
        except (optuna.TrialPruned, *NO_ANSWER):
            raise
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

    def _run_job(self, trial: optuna.Trial, searched: list[str]) -> Any:
        root = QuotedString(str(self._plan.config.root_path), Quote.single).with_quotes()
        overrides = [
            *([f"training.threads={self._order.threads}"] if self._order.threads is not None else []),
            *self._plan.arguments,
            *searched,
            f"root={root}",  # a launcher may start the job in another folder
            f"++hydra.job.env_set.{TRIAL}={trial.number}",
            f"hydra.sweep.subdir={trial_name(trial.number)}",
        ]
        try:
            self._in_job = True
            if self._stopping:
                raise KeyboardInterrupt
            return self._launch(overrides, trial.number)
        finally:
            self._in_job = False

    def _frozen(self, trial: optuna.Trial) -> optuna.trial.FrozenTrial:
        return self._opened.study.get_trials(deepcopy=False)[trial.number]

    def _stop(self, signum: int, frame: FrameType | None) -> None:
        # Interrupt only a job: elsewhere, an exception could leave a half-written result.
        first, self._stopping = not self._stopping, True
        if first and self._in_job:
            raise KeyboardInterrupt

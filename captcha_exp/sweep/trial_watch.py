"""Ends a process whose trial hangs."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import optuna
from optuna.trial import TrialState

from captcha_exp.sweep.failures import TOO_LONG
from captcha_exp.sweep.storage import REASON
from captcha_exp.sweep.worker_messages import EXIT_LATE
from captcha_exp.terminal import log_with_dates

log = log_with_dates(__name__)


@contextmanager
def at_most(minutes: float | None, study: optuna.Study, trial: optuna.Trial) -> Iterator[None]:
    """Record the trial as failed and end this process if the block takes longer. None waits for ever.

    What hangs in a library cannot be interrupted, so the process has to go. The supervisor starts another.
    """
    if minutes is None:
        yield
        return
    watch = threading.Timer(60 * minutes, _end, (minutes, study, trial))
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()


def _end(minutes: float, study: optuna.Study, trial: optuna.Trial) -> None:
    reason = f"{TOO_LONG}{minutes:g}"
    try:
        trial.set_user_attr(REASON, reason)
        study.tell(trial.number, state=TrialState.FAIL)
    except Exception:
        # It ended at the same moment, or the database is gone. Then others retry the trials of a dead worker.
        log.exception("trial %d could not be recorded as too long", trial.number)
    log.error("trial %d ended: %s", trial.number, reason)
    os._exit(EXIT_LATE)

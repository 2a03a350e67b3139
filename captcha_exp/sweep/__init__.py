"""Sweeps: a search over configurations by several processes that meet only in a study's database."""

from captcha_exp.sweep.order import WorkerOrder
from captcha_exp.sweep.plan import SweepPlan, plan_sweep
from captcha_exp.sweep.record import SweepRecord
from captcha_exp.sweep.run import run_sweep
from captcha_exp.sweep.trial import OpenTrial, open_trial
from captcha_exp.sweep.worker import Worker

__all__ = [
    "OpenTrial",
    "SweepPlan",
    "SweepRecord",
    "Worker",
    "WorkerOrder",
    "open_trial",
    "plan_sweep",
    "run_sweep",
]

"""Sweeps: several processes search over configurations; they share only a study's database."""

from captcha_exp.sweep.job_trial import OpenTrial, open_trial
from captcha_exp.sweep.plan import SweepPlan, plan_sweep
from captcha_exp.sweep.sweep_store import SweepRecord
from captcha_exp.sweep.whole_sweep import run_sweep
from captcha_exp.sweep.worker import Worker
from captcha_exp.sweep.worker_messages import WorkerOrder

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

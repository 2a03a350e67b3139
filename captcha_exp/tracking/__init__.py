"""Runs, their artifacts and models, kept in MLflow."""

import os

# Set these before MLflow is imported. Nothing about a user's work leaves the machine unless the user asks for it.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
# MLflow prints each step of making its database, and a progress bar for the files of a model that it copies.
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

from captcha_exp.tracking.dataset_inputs import LoggedSplit
from captcha_exp.tracking.keeping_store import deliver_all, open_keeping_store
from captcha_exp.tracking.keras_file import check_readable
from captcha_exp.tracking.logged_model import LoadedRecogniser, load_recogniser
from captcha_exp.tracking.move import Move
from captcha_exp.tracking.opening import open_store, store_uri
from captcha_exp.tracking.registry import Registry, Version
from captcha_exp.tracking.store import Store
from captcha_exp.tracking.sweep_run import SweepRun
from captcha_exp.tracking.tracked_run import TrackedRun

__all__ = [
    "LoadedRecogniser",
    "LoggedSplit",
    "Move",
    "Registry",
    "Store",
    "SweepRun",
    "TrackedRun",
    "Version",
    "check_readable",
    "deliver_all",
    "load_recogniser",
    "open_keeping_store",
    "open_store",
    "store_uri",
]

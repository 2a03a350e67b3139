"""What Python programs and notebooks call; `captcha_exp` exports these names."""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from captcha_exp.errors import InputError

if TYPE_CHECKING:
    from captcha_exp.config import Config
    from captcha_exp.experiment import Outcome
    from captcha_exp.predict.reading_model import ReadingModel
    from captcha_exp.sweep.study_facts import ReadSweep

_log = logging.getLogger(__name__)
Overrides = Mapping[str, Any] | Sequence[str]


@dataclass(frozen=True)
class Run:
    """A run that has ended.

    Attributes:
        run_id: MLflow's id.
        state: `finished`, or `pruned`.
        metrics: `best/val/sequence_accuracy` and the other figures of the epoch that was kept, and the times of stages.
        model: the address of the model for `load_model`; None if it was not kept (`tracking.log_model=false`).
        root: the folder of the run's store.
        tracking_uri: the store, if it is not in `root`.
    """

    run_id: str
    state: str
    metrics: Mapping[str, float]
    model: str | None
    root: str
    tracking_uri: str | None

    def load_model(self) -> "ReadingModel":
        """The run's model, ready to read images.

        Raises:
            InputError: the run has kept none.
        """
        if self.model is None:
            raise InputError(f"run {self.run_id} has kept no model; train with tracking.log_model=true.")
        return load_model(self.model, self.root, self.tracking_uri)


def train(overrides: Overrides = ()) -> Run:
    """Train one recogniser in this process, as `captcha-exp train` does. The progress is logged below `captcha_exp`.

    Args:
        overrides: as typed, `["dataset=folder", "training.epochs=5"]`, or values by key, `{"training.epochs": 5}`. The
            values of a mapping are taken as they are and need no quotes.

    Raises:
        InputError: the input cannot be used; the message names the key.
        DivergedError: the loss is no longer a number.
    """
    from captcha_exp.config.keras_backend import check_keras_backend

    config = _composed(_typed(overrides))
    check_keras_backend()
    from captcha_exp.experiment import run_experiment

    return _run_of(run_experiment(config), config)


def sweep(name: str, overrides: Overrides = ()) -> "ReadSweep":
    """Search, as `captcha-exp sweep NAME` does, and return the sweep. The same call goes on with what was interrupted.

    The search and its workers are processes of their own. What they print is logged below `captcha_exp`, also which
    trials failed beside those that finished.

    Args:
        name: a file of `conf/sweep/`, like `attention`.
        overrides: as for `train`.

    Raises:
        InputError: the input cannot be used, or no trial has finished.
    """
    from captcha_exp.hidden_passwords import without_typed_password

    typed = [f"+sweep={name}", *_typed(overrides)]
    config = _composed(typed)
    _run_command([without_typed_password(argument) for argument in typed])
    return load_sweep(str(config.sweep.name), config.root, config.sweep.storage)


def load_sweep(name: str, root: str = ".", storage: str | None = None) -> "ReadSweep":
    """Read a sweep, which may still be running: its trials, their values and their runs.

    `load_sweep("attention").to_pandas()` gives the trials as a table.

    Args:
        name: the sweep's `sweep.name`.
        root: the folder under which `sweeps/` lies.
        storage: its `sweep.storage`; None for the database in the sweep's folder.

    Raises:
        InputError: there is no such sweep, or its database cannot be used.
    """
    from captcha_exp.sweep.study_facts import read_sweep

    return read_sweep(_absolute(root), name, storage)


def load_model(
    address: str | os.PathLike[str], root: str = ".", tracking_uri: str | None = None, threads: int | None = None
) -> "ReadingModel":
    """Load a model, ready to read images.

    Args:
        address: in the store (`models:/captcha@champion`, `runs:/RUN/model`, `m-...`), a model's folder or ONNX file.
        root: the folder under which `mlruns/` lies.
        tracking_uri: the store; None for the database under `root`.
        threads: threads that compute; None uses every core.

    Raises:
        InputError: there is no such model, or this project did not make it.
    """
    from captcha_exp.predict.load_predictor import load_from_project
    from captcha_exp.predict.reading_model import ReadingModel

    return ReadingModel(load_from_project(os.fspath(address), tracking_uri, _absolute(root), threads))


def _absolute(root: str) -> Path:
    return Path(root).expanduser().resolve()


def _typed(overrides: Overrides) -> list[str]:
    """Overrides as a command line has them."""
    from captcha_exp.hydra_values import as_override

    if isinstance(overrides, str):
        raise InputError(f"overrides must be a list or a mapping, not the text {overrides!r}; type [{overrides!r}].")
    if isinstance(overrides, Mapping):
        return [as_override(key, value) for key, value in overrides.items()]
    for one in overrides:
        if not isinstance(one, str) or "=" not in one or one.startswith("-"):
            raise InputError(f"overrides must be texts like 'training.epochs=5', not {one!r}.")
    return list(overrides)


def _composed(typed: Sequence[str]) -> "Config":
    from captcha_exp.config import load_config
    from captcha_exp.hydra_values import compose_values
    from captcha_exp.pretrained_network import with_pretrained_network

    return load_config(compose_values("config", with_pretrained_network(typed)))


def _run_of(outcome: "Outcome", config: "Config") -> Run:
    kept = config.tracking.log_model and outcome.state == "finished"
    return Run(
        outcome.run_id,
        outcome.state,
        outcome.metrics,
        f"runs:/{outcome.run_id}/model" if kept else None,
        str(config.root_path),
        config.tracking.uri,
    )


def _run_command(arguments: Sequence[str]) -> None:
    """Run the training command in a process of its own, and log what it prints.

    Raises:
        InputError: it has refused its input, or has done nothing.
    """
    from captcha_exp.command_line import EXIT_INPUT
    from captcha_exp.sweep.ending import EXIT_FAILED, EXIT_FAULTS, EXIT_UNDELIVERED

    process = subprocess.Popen(
        [sys.executable, "-m", "captcha_exp", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        start_new_session=True,  # a notebook interrupts only its own process
    )
    last = "the sweep has ended without a word"
    try:
        for line in process.stdout or []:
            last = line.rstrip("\n")
            _log.info("%s", last)
    except BaseException:
        process.send_signal(signal.SIGINT)
        raise
    finally:
        code = process.wait()
    if code in {EXIT_FAULTS, EXIT_UNDELIVERED}:  # the last line, which is logged, says which trials or what is missing
        return
    if code in {EXIT_FAILED, EXIT_INPUT}:
        raise InputError(last.removeprefix("error: "))
    if code:
        raise RuntimeError(f"The sweep ended with exit code {code}: {last}")

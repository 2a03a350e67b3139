"""A command like `python -m captcha_exp` whose training sleeps and makes up its learning curve.

What each trial does is told by environment variables:
    EPOCH_S         seconds an epoch takes
    RAISE_BELOW     a trial whose dropout is below this raises in its second epoch
    HANG_BELOW      a trial whose dropout is below this never ends
    NAN_BELOW       a trial whose dropout is below this ends with NaN
    UNREAD          every trial reads nothing
    PRUNE_ALL       every trial says that it was pruned
    KILL_TRIAL      the number of a trial whose parameters kill their process, as when memory runs out
    BEGUN           a folder: each trial leaves a file <trial>-<process id> there when it has begun
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from captcha_exp.command_line import hydra_command
from captcha_exp.config import load_config


def train(composed: DictConfig) -> dict[str, Any]:
    config = load_config(composed)
    from captcha_exp.sweep import open_trial

    trial = open_trial(config)
    dropout = config.transformer.dropout
    if "BEGUN" in os.environ:
        Path(os.environ["BEGUN"], f"{trial.name}-{os.getpid()}").touch()
    if "KILL_TRIAL" in os.environ and first_attempt(trial) == int(os.environ["KILL_TRIAL"]):
        os.kill(os.getpid(), signal.SIGKILL)
    if trial.repeats is not None:
        return repeated(trial, dropout, config.training.epochs)
    for epoch in range(epochs_before(trial), config.training.epochs):
        time.sleep(float(os.environ.get("EPOCH_S", "0.01")))
        if dropout < float(os.environ.get("HANG_BELOW", "-1")):
            threading.Event().wait()
        if epoch == 1 and dropout < float(os.environ.get("RAISE_BELOW", "-1")):
            raise ArithmeticError(f"the loss of epoch {epoch} of {trial.name} is too large")
        if trial.report(epoch, metrics(dropout, epoch + 1)):
            return {"state": "pruned", "metrics": {}, "run_id": f"run-{trial.name}"}
    final = {f"best/{key}": value for key, value in metrics(dropout, config.training.epochs).items()}
    if dropout < float(os.environ.get("NAN_BELOW", "-1")):
        final = dict.fromkeys(final, float("nan"))
    state = "pruned" if "PRUNE_ALL" in os.environ else "finished"
    more = {"latency_ms": 10 + 100 * dropout, "training/steps": 10.0 * config.training.epochs}
    return {"state": state, "metrics": {**final, **more}, "run_id": f"run-{trial.name}"}


def repeated(trial: Any, dropout: float, epochs: int) -> dict[str, Any]:
    """Trainings whose results differ by what depends on their number and on the trial."""
    repeats, worse = trial.repeats, False
    while len(repeats.done) < repeats.count and not worse:
        number = len(repeats.done)
        Path(os.environ["BEGUN"], f"{trial.name}.{number}-{os.getpid()}").touch()
        for epoch in range(epochs):
            time.sleep(float(os.environ.get("EPOCH_S", "0.01")))
            trial.report(epoch, metrics(dropout, epoch + 1))
        result = {f"best/{key}": value - 0.01 * number for key, value in metrics(dropout, epochs).items()}
        worse = repeats.keep(f"run-{trial.name}-{number}", {**result, "latency_ms": 10.0 + number})
    mean = {
        name: sum(one["metrics"][name] for one in repeats.done) / len(repeats.done)
        for name in repeats.done[0]["metrics"]
    }
    return {"state": "pruned" if worse else "finished", "metrics": mean, "run_id": f"run-{trial.name}"}


def epochs_before(trial: Any) -> int:
    """A paused trial goes on where it stopped, as from a checkpoint."""
    return len(trial._trial.storage.get_trial(trial._trial._trial_id).intermediate_values)


def first_attempt(trial: Any) -> int:
    return int(
        trial._trial.storage.get_trial(trial._trial._trial_id).system_attrs.get("failed_trial", trial.tags["trial"])
    )


def metrics(dropout: float, epochs: int) -> Mapping[str, float]:
    if "UNREAD" in os.environ:
        return {"val/sequence_accuracy": 0.0}
    return {"val/sequence_accuracy": (1 - abs(dropout - 0.3)) * (1 - 0.5**epochs)}


if __name__ == "__main__":
    sys.exit(hydra_command(train, "config", [*sys.argv[1:], "hydra.mode=MULTIRUN", "hydra/sweeper=bare"]))

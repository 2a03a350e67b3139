"""The training command: one run, or with `+sweep=...` a sweep. A command's name in front starts that command."""

import sys
from collections.abc import Sequence
from typing import Any

from omegaconf import DictConfig

from captcha_exp import front_door
from captcha_exp.command_line import hydra_command, is_one_of_many
from captcha_exp.interruption import remember_interrupts
from captcha_exp.pretrained_network import beside, with_pretrained_network


def main() -> int:
    """Run the command line of this process."""
    return hydra_command(train, "config", with_sweep_mode(with_pretrained_network(sys.argv[1:])))


def with_sweep_mode(arguments: Sequence[str]) -> list[str]:
    """Let `+sweep=...` sweep without `-m`. Hydra 1.4 does not read the mode from the sweep's file any more."""
    if any(argument.startswith("hydra.mode=") for argument in arguments):
        return list(arguments)
    return beside("+sweep=", arguments, "hydra.mode=MULTIRUN")


def train(composed: DictConfig) -> dict[str, Any]:
    """One run: a single training, or a trial of a sweep."""
    from captcha_exp.config import load_config
    from captcha_exp.config.keras_backend import check_keras_backend

    config = load_config(composed)
    check_keras_backend()
    # Import these after the checks: the error for a mistyped key must not wait for TensorFlow.
    from captcha_exp.experiment import run_experiment

    trial = None
    if is_one_of_many():
        from captcha_exp.sweep import open_trial

        trial = open_trial(config)
    else:
        remember_interrupts()
    outcome = run_experiment(config, trial=trial)
    return {"state": outcome.state, "metrics": outcome.metrics, "run_id": outcome.run_id}


if __name__ == "__main__":
    sys.exit(front_door.main("train"))

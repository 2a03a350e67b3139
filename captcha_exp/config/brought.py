"""Answers to what users bring from other tools: the key or form that does the same here."""

import re
from collections.abc import Sequence

from captcha_exp.errors import InputError

# Keys of the published Optuna sweeper for Hydra, and what they are called here.
_SWEEPER = {
    "n_trials": "sweep.n_trials",
    "n_jobs": "sweep.workers",
    "storage": "sweep.storage",
    "study_name": "sweep.name",
    "direction": "sweep.objectives",
    "sampler": "sweep.sampler.kind",
    "params": "sweep.space",
    "search_space": "sweep.space",
}
_PLUS = re.compile(
    r"Could not override '(sweep|experiment)'\. No match in the defaults list\..* use \+(\S+)", re.DOTALL
)
_SWEEPER_KEY = re.compile(r"\+{0,2}hydra\.sweeper\.(\w+)")


def check_arguments(arguments: Sequence[str]) -> None:
    """Refuse keys of the published sweeper. Hydra itself would end with a traceback for some of them.

    Raises:
        InputError: naming the key, and what it is called here.
    """
    for argument in arguments:
        found = _SWEEPER_KEY.match(argument)
        if found and found[1] in _SWEEPER:
            raise InputError(f"hydra.sweeper.{found[1]} is called {_SWEEPER[found[1]]} here.")


def answer(message: str) -> str | None:
    """What to type instead, for an error of Hydra's. None if it is about something else."""
    if found := _PLUS.search(message):
        return f"`{found[1]}` is no group that is always chosen, so it takes a plus: +{found[2]}"
    if "hydra/sweeper/optuna" in message:
        return (
            "hydra/sweeper=optuna is not needed: Optuna searches in every sweep here. Type +sweep=NAME, for example "
            "+sweep=attention; the keys of sweep in conf/config.yaml set how it searches."
        )
    return None

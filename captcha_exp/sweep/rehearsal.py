"""Tries a sampler or pruner before a search begins."""

import warnings
from collections.abc import Callable

import optuna
from optuna.samplers import RandomSampler
from optuna.trial import Trial

from captcha_exp.config import PrunerKind, SamplerKind
from captcha_exp.errors import InputError, first_line
from captcha_exp.sweep.plan import SweepPlan
from captcha_exp.sweep.samplers import build_pruner, build_sampler
from captcha_exp.sweep.storage import quiet_optuna

# The extra of this package that brings a package which samplers need.
_EXTRAS = {"cmaes": "cmaes", "torch": "gp"}
_TRIALS, _EPOCHS = 12, 4  # Optuna's samplers begin with ten random trials


def rehearse(plan: SweepPlan) -> None:
    """Let the user's choice of a sampler and a pruner work on trials that are made up.

    A missing package, or a space that a sampler cannot search, shows only when it is used.

    Raises:
        InputError: it raised.
    """
    sweep = plan.config.sweep
    if sweep.sampler.kind not in list(SamplerKind) or sweep.sampler.options:
        sampler = build_sampler(sweep.sampler, plan.space, seed=0)
        study = optuna.create_study(directions=["maximize"] * len(sweep.objectives), sampler=sampler)
        _run(study, lambda trial: _searched(plan, trial), f"sweep.sampler.kind={sweep.sampler.kind}")
    pruner = build_pruner(sweep, plan.config.training.epochs or 0)
    if sweep.pruner.kind not in list(PrunerKind) or sweep.pruner.options:
        study = optuna.create_study(sampler=RandomSampler(seed=0), pruner=pruner)
        _run(study, _pruned, f"sweep.pruner.kind={sweep.pruner.kind}")


def _run(study: optuna.Study, objective: Callable[[Trial], list[float]], chosen: str) -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            study.optimize(objective, n_trials=_TRIALS)
    except Exception as error:
        raise InputError(f"{chosen} cannot be used here: {_cause(error)}.") from error
    finally:
        quiet_optuna()


def _cause(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name in _EXTRAS:
        return f"it needs the package {error.name}: pip install 'captcha-exp[{_EXTRAS[error.name]}]'"
    return first_line(error).rstrip(".")


def _searched(plan: SweepPlan, trial: Trial) -> list[float]:
    plan.space.suggest(trial)
    return [float(trial.number % 5)] * len(plan.config.sweep.objectives)


def _pruned(trial: Trial) -> list[float]:
    for epoch in range(_EPOCHS):
        trial.report(trial.number % 5, epoch)
        trial.should_prune()
    return [float(trial.number % 5)]

"""The samplers and pruners that `sweep.sampler` and `sweep.pruner` name."""

import importlib.util
import warnings
from collections.abc import Mapping, Sequence
from inspect import Parameter, signature
from typing import Any, TypeVar

import numpy as np
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner, PatientPruner, WilcoxonPruner
from optuna.samplers import BaseSampler, GPSampler, GridSampler, NSGAIISampler, QMCSampler, RandomSampler, TPESampler

from captcha_exp.config import PrunerKind, SamplerConfig, SamplerKind, SweepConfig
from captcha_exp.errors import InputError, first_line
from captcha_exp.extension import named_class
from captcha_exp.sweep.halving import PausingHalving
from captcha_exp.sweep.space import Space
from captcha_exp.sweep.tally import Tally, TrialOutcome

_Kind = TypeVar("_Kind")


def build_sampler(config: SamplerConfig, space: Space, seed: int | None) -> BaseSampler:
    """The sampler of one worker.

    Raises:
        InputError: there is no such sampler, it needs a package that is not installed, it does not take the options, or
            it cannot search this space.
    """
    kind, arguments = _sampler(config, space, seed)
    return made("sweep.sampler", kind, arguments, config.options)


def _sampler(config: SamplerConfig, space: Space, seed: int | None) -> tuple[type[BaseSampler], dict[str, Any]]:
    if ":" in config.kind:
        kind = named_class("sweep.sampler.kind", config.kind, BaseSampler)  # type: ignore[type-abstract]
        # All workers of a quasi-random sequence must draw from the same one.
        given = config.seed if issubclass(kind, QMCSampler) else seed
        return kind, {"seed": given} if "seed" in signature(kind).parameters else {}
    if config.kind == SamplerKind.grid:
        # Do not use the worker's seed, because all workers must visit the grid in the same order.
        return GridSampler, {"search_space": space.grid(), "seed": config.seed}
    if config.kind == SamplerKind.random:
        return RandomSampler, {"seed": seed}
    if config.kind == SamplerKind.gp:
        _require_torch()
        return GPSampler, {"seed": seed, "n_startup_trials": config.n_startup_trials}
    if config.kind == SamplerKind.nsga2:
        return NSGAIISampler, {"seed": seed, "population_size": max(2, config.n_startup_trials)}
    conditional = any(parameter.when for parameter in space.parameters)
    # Without group, keys that only some trials have are drawn independently.
    startup = config.n_startup_trials
    return TPESampler, {"seed": seed, "n_startup_trials": startup, "multivariate": True, "group": conditional}


def has_tried_all(tally: Tally, space: Space) -> bool:
    """Whether each combination of the space has a trial that ended, runs, or waits."""
    size = space.size()
    gone = (TrialOutcome.lost, TrialOutcome.waiting)
    tried = {tuple(sorted(t.params.items())) for t in tally.trials if t.params and tally.outcome(t) not in gone}
    return size is not None and len(tried) >= size


def worker_seed(seed: int | None, worker: int) -> int | None:
    """A different seed for each worker, including workers that replace others or belong to a later start."""
    return None if seed is None else int(np.random.SeedSequence([seed, worker]).generate_state(1)[0])


def build_pruner(sweep: SweepConfig, epochs: int) -> BasePruner:
    """The pruner. It is the same in every process of the study.

    Args:
        sweep: the pruner, and the objective that it looks at.
        epochs: the most epochs that a trial can have.

    Raises:
        InputError: there is no such pruner, or it does not take the options.
    """
    config = sweep.pruner
    kind, arguments = _pruner(sweep, epochs)
    pruner = made("sweep.pruner", kind, arguments, config.options)
    if config.patience is None or config.kind == PrunerKind.none:
        return pruner
    if config.kind == PrunerKind.asha:
        raise InputError(
            f"sweep.pruner.patience={config.patience} has no effect with sweep.pruner.kind=asha, where trials pause at "
            "fixed epochs; set `sweep.pruner.patience=null`, or another kind."
        )
    return made("sweep.pruner", PatientPruner, {"wrapped_pruner": pruner, "patience": config.patience}, None)


def _pruner(sweep: SweepConfig, epochs: int) -> tuple[type[BasePruner], dict[str, Any]]:
    config = sweep.pruner
    if ":" in config.kind:
        kind = named_class("sweep.pruner.kind", config.kind, BasePruner)  # type: ignore[type-abstract]
        return kind, {}
    if config.kind == PrunerKind.asha:
        shortest = max(1, config.n_warmup_epochs)
        rungs = {"shortest": shortest, "reduction": config.reduction_factor, "epochs": epochs}
        # Otherwise some workers would have nothing to do at the end.
        end = {"n_trials": sweep.n_trials, "finalists": min(sweep.workers, config.reduction_factor)}
        return PausingHalving, {"objective": sweep.objectives[0], **rungs, **end}
    if config.kind == PrunerKind.median:
        return MedianPruner, {"n_startup_trials": config.n_startup_trials, "n_warmup_steps": config.n_warmup_epochs}
    if config.kind == PrunerKind.hyperband:
        least = max(1, config.n_warmup_epochs)
        bounds = {"min_resource": min(least, epochs), "max_resource": epochs}
        return HyperbandPruner, {**bounds, "reduction_factor": config.reduction_factor}
    return (WilcoxonPruner if config.kind == PrunerKind.wilcoxon else NopPruner), {}


def made(key: str, kind: type[_Kind], arguments: Mapping[str, Any], options: Mapping[str, Any] | None) -> _Kind:
    """An object of `kind`. The user's options count more than our arguments.

    Raises:
        InputError: it refuses the options.
    """
    options = options or {}
    taken = signature(kind).parameters
    unknown = [name for name in options if name not in taken]
    if unknown and not any(one.kind is Parameter.VAR_KEYWORD for one in taken.values()):
        raise InputError(
            f"{key}.options names {unknown[0]}, which {kind.__name__} does not take; it takes {', '.join(taken)}."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            return kind(**{**arguments, **options})
    except Exception as error:
        raise InputError(
            f"{key}.kind: {kind.__name__} cannot be made with {key}.options={dict(options)} ({first_line(error)})."
        ) from error


def grid_size(space: Space) -> int:
    """Number of points of the grid.

    Raises:
        InputError: the space has no grid.
    """
    sizes: Sequence[int] = [len(values) for values in space.grid().values()]
    return int(np.prod(sizes))


def _require_torch() -> None:
    if importlib.util.find_spec("torch") is None:
        raise InputError(
            "sweep.sampler.kind=gp needs PyTorch: pip install 'captcha-exp[gp]', or choose sweep.sampler.kind=tpe."
        )

"""The samplers and pruners that `sweep.sampler` and `sweep.pruner` name."""

import importlib.util
import warnings
from collections.abc import Sequence

import numpy as np
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner, PatientPruner
from optuna.samplers import BaseSampler, GPSampler, GridSampler, NSGAIISampler, RandomSampler, TPESampler

from captcha_exp.config import PrunerConfig, PrunerKind, SamplerConfig, SamplerKind
from captcha_exp.errors import InputError
from captcha_exp.sweep.space import Space


def build_sampler(config: SamplerConfig, space: Space, seed: int | None) -> BaseSampler:
    """The sampler of one worker.

    Raises:
        InputError: the sampler needs a package that is not installed, or it cannot search this space.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        if config.kind is SamplerKind.grid:
            # Do not use the worker's seed, because all workers must visit the grid in the same order.
            return GridSampler(space.grid(), seed=config.seed)
        if config.kind is SamplerKind.random:
            return RandomSampler(seed=seed)
        if config.kind is SamplerKind.gp:
            _require_torch()
            return GPSampler(seed=seed, n_startup_trials=config.n_startup_trials)
        if config.kind is SamplerKind.nsga2:
            return NSGAIISampler(seed=seed, population_size=max(2, config.n_startup_trials))
        conditional = any(parameter.when for parameter in space.parameters)
        return TPESampler(
            seed=seed,
            n_startup_trials=config.n_startup_trials,
            multivariate=True,
            group=conditional,  # otherwise, keys that only some trials have are drawn independently
        )


def worker_seed(seed: int | None, worker: int) -> int | None:
    """A different seed for each worker, including workers that replace others or belong to a later start."""
    return None if seed is None else int(np.random.SeedSequence([seed, worker]).generate_state(1)[0])


def build_pruner(config: PrunerConfig, epochs: int) -> BasePruner:
    """The pruner. It is the same in every process of the study.

    Args:
        config: `sweep.pruner`.
        epochs: the most epochs that a trial can have.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        pruner = _unwrapped(config, epochs)
        if config.patience is None or config.kind is PrunerKind.none:
            return pruner
        return PatientPruner(pruner, patience=config.patience)


def _unwrapped(config: PrunerConfig, epochs: int) -> BasePruner:
    if config.kind is PrunerKind.median:
        return MedianPruner(n_startup_trials=config.n_startup_trials, n_warmup_steps=config.n_warmup_epochs)
    if config.kind is PrunerKind.hyperband:
        least = max(1, config.n_warmup_epochs)
        return HyperbandPruner(
            min_resource=min(least, epochs), max_resource=epochs, reduction_factor=config.reduction_factor
        )
    return NopPruner()


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

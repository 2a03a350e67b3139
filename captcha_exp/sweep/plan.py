"""Plan a sweep from its configuration, before any process starts."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from captcha_exp.config import Config, SamplerKind, flatten, to_plain
from captcha_exp.config.earlier import renamed_choice
from captcha_exp.errors import InputError, joined_lines
from captcha_exp.sweep.first_trials import first_trials
from captcha_exp.sweep.repeats import check_repeats
from captcha_exp.sweep.samplers import build_sampler, grid_size
from captcha_exp.sweep.space import Parameter, Space, build_space
from captcha_exp.sweep.study import check_held_out, check_pruning_epochs, check_pruning_metric

_RANDOM_TRIALS = 30
# Samplers that ignore what other sweeps found.
DEAF = (SamplerKind.random, SamplerKind.grid, SamplerKind.nsga2)
Compose = Callable[[Sequence[str]], Config]


@dataclass(frozen=True)
class SweepPlan:
    """A sweep: what is fixed, what is searched, and how to make a trial's configuration.

    `n_trials` is `sweep.n_trials`, or the size of a smaller grid. `first` holds the parameters of the first trials.
    `choices` has the chosen option of each config group. `compose` turns the overrides of one job into its
    configuration.
    """

    config: Config
    space: Space
    arguments: tuple[str, ...]
    compose: Compose
    n_trials: int
    first: tuple[dict[str, Any], ...]
    choices: Mapping[str, str]

    @property
    def name(self) -> str:
        return str(self.config.sweep.name)

    @property
    def folder(self) -> Path:
        return self.config.root_path / "sweeps" / self.name

    def trial_config(self, params: Mapping[str, Any]) -> Config:
        """The configuration of a trial with `params`."""
        return self.compose([*self.arguments, *self.space.overrides(params)])


def plan_sweep(
    config: Config, arguments: Sequence[str], parser: OverridesParser, choices: Mapping[str, str], compose: Compose
) -> SweepPlan:
    """Read the search space and refuse what cannot work.

    Args:
        config: the configuration, without the keys that the command line searches.
        arguments: the command line's overrides.
        parser: Hydra's parser.
        choices: the chosen option of each config group.
        compose: turns the overrides of a job into its configuration.

    Raises:
        InputError: naming the key that is wrong.
    """
    if config.sweep.name is None:
        raise InputError("sweep.name is null; a sweep needs a name for its folder and study: `sweep.name=...`.")
    check_held_out(config)
    current = {**flatten(to_plain(config)), **choices}
    space, fixed = build_space(config.sweep.space, arguments, parser, current)
    check_repeats(config)
    check_pruning_metric(config)
    check_pruning_epochs(config)
    _check_learning(config)
    build_sampler(config.sweep.sampler, space, seed=0)  # raises if a package is missing
    n_trials, first = config.sweep.n_trials, first_trials(config.sweep.first, space, current)
    if config.sweep.sampler.kind == SamplerKind.grid:
        n_trials, first = min(n_trials, grid_size(space)), ()  # a grid takes every value once anyway
    return SweepPlan(config, space, tuple(fixed), compose, n_trials, first, choices)


def _check_learning(config: Config) -> None:
    kind = config.sweep.sampler.kind
    if config.sweep.warm_start and kind in DEAF:
        raise InputError(
            f"sweep.warm_start has no effect with sweep.sampler.kind={kind}, which learns from no trials but its "
            "own, if any; choose tpe or gp, or `sweep.warm_start=[]`."
        )


def check_space(plan: SweepPlan) -> None:
    """Compose configurations for every key, so that a mistyped key or option is found before the sweep begins.

    Some combinations may be impossible; their trials will fail with the reason. But if no value of a key can be
    used, neither with the other keys' defaults nor in whole trials, the key is a mistake.

    Raises:
        InputError: naming the key.
    """
    _check_options(plan)
    for parameter in plan.space.parameters:
        context = _context(parameter, plan.space)
        tried = ([*context, f"{parameter.key}={text}"] for text in _samples(parameter))
        error = _first_error(plan, tried)
        if error is not None and _first_error(plan, _random_trials(plan.space)) is not None:
            raise InputError(f"sweep.space.{parameter.key} cannot be used with any of its values: {error}")


def _first_error(plan: SweepPlan, tried: Iterable[list[str]]) -> str | None:
    """None if one of the lists of overrides can be composed, otherwise the error of the first list."""
    errors: list[str] = []
    for overrides in tried:
        try:
            plan.compose([*plan.arguments, *overrides])
        except (InputError, HydraException, OmegaConfBaseException) as error:
            errors.append(joined_lines(error))
        else:
            return None
    return errors[0] if errors else None


def _random_trials(space: Space) -> Iterable[list[str]]:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    return (space.suggest(study.ask()) for _ in range(_RANDOM_TRIALS))


def _check_options(plan: SweepPlan) -> None:
    """Check that all options of each group exist. Hydra can tell this before any combination is tried."""
    for parameter in plan.space.parameters:
        if "." in parameter.key or parameter.domain.texts is None:
            continue
        for text in parameter.domain.texts:
            try:
                plan.compose([*plan.arguments, *_context(parameter, plan.space), f"{parameter.key}={text}"])
            except HydraException as error:
                message = renamed_choice(str(error)) or joined_lines(str(error).split("Config search path")[0])
                raise InputError(f"sweep.space.{parameter.key}={text}: {message}") from error
            except (InputError, OmegaConfBaseException):
                continue  # it exists, but does not fit the defaults of other groups


def _context(parameter: Parameter, space: Space) -> list[str]:
    """Overrides under which `parameter` applies."""
    by_key = {p.key: p for p in space.parameters}
    overrides: list[str] = []
    for key, values in parameter.when.items():
        if key in by_key:
            parent = by_key[key]
            overrides += _context(parent, space)
            overrides += [f"{key}={text}" for text in _samples(parent) if text.strip("'\"") == values[0]][:1]
    return overrides


def _samples(parameter: Parameter) -> Sequence[str]:
    domain = parameter.domain
    if domain.texts is not None:
        return domain.texts
    return [domain.text(domain.numbers.low), domain.text(domain.numbers.high)]

"""The schedulers of Ray Tune and Syne Tune, from their own packages, as further methods.

They are compared only where `ray[tune]` or `syne-tune[extra]` is installed, which this project does not need. All get
the composed defaults as their first trial.
"""

import datetime
import importlib.util
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.pruners import NopPruner
from optuna.samplers import RandomSampler

from benchmarks.search.simulation import Method
from benchmarks.search.tables import DEFAULTS, EPOCHS, space

_SYNE = ("ASHA", "BOHB", "ASHABORE", "ASHACQR")


def installed_methods(draws: Callable[..., Any]) -> dict[str, Callable[[int], Method]]:
    """The methods of the packages that are installed. `draws` is `OptunaMethod`, which draws for Ray's scheduler."""
    found: dict[str, Callable[[int], Method]] = {}
    if importlib.util.find_spec("ray"):
        found["Ray Tune: ASHA"] = lambda seed: RayMethod(draws(RandomSampler(seed=seed), NopPruner(), known_first=True))
    if importlib.util.find_spec("syne_tune"):
        for name in _SYNE:
            found[f"Syne Tune: {name}"] = lambda seed, name=name: SyneMethod(name, seed)  # type: ignore[misc]
    return found


class RayMethod:
    """Ray Tune's ASHA with its own defaults, on random configurations, as Ray Tune draws them."""

    waits = False

    def __init__(self, draws: Any) -> None:
        """`draws` gives the configurations."""
        from ray.tune.schedulers import AsyncHyperBandScheduler

        self._draws = draws
        # Any: its methods ask for a controller, and do not use it.
        self._scheduler: Any = AsyncHyperBandScheduler(metric="accuracy", mode="max", max_t=EPOCHS)

    def ask(self) -> tuple[int, dict[str, Any]] | None:
        """See `Method`."""
        number, params = self._draws.ask()
        self._scheduler.on_trial_add(None, _named(number))
        return number, params

    def told(self, number: int, epoch: int, accuracy: float) -> bool:
        """See `Method`."""
        result = {"training_iteration": epoch + 1, "accuracy": accuracy}
        return bool(self._scheduler.on_trial_result(None, _named(number), result) == "CONTINUE")

    def ended(self, number: int, best: float | None) -> None:
        """See `Method`."""
        self._scheduler.on_trial_remove(None, _named(number))


class SyneMethod:
    """A method of Syne Tune with its own defaults."""

    waits = False

    def __init__(self, name: str, seed: int) -> None:
        """`name` is the class in `syne_tune.optimizer.baselines`."""
        from syne_tune.optimizer import baselines

        self._parameters = space()
        domains = {p.key: _domain(p.domain.distribution) for p in self._parameters.parameters}
        self._scheduler = getattr(baselines, name)(
            domains, "accuracy", "epoch", EPOCHS, do_minimize=False, random_seed=seed, points_to_evaluate=[DEFAULTS]
        )
        self._trials: list[Any] = []

    def ask(self) -> tuple[int, dict[str, Any]] | None:
        """See `Method`. The space of Syne Tune has no conditions, so keys that do not apply are left out here."""
        from syne_tune.backend.trial_status import Trial

        config = self._scheduler.suggest().config
        self._trials.append(Trial(len(self._trials), config, datetime.datetime.now()))
        self._scheduler.on_trial_add(self._trials[-1])
        texts = {key: str(value) for key, value in config.items()}
        applying = [p.key for p in self._parameters.parameters if self._parameters.applies(p, texts)]
        return len(self._trials) - 1, {key: config[key] for key in applying}

    def told(self, number: int, epoch: int, accuracy: float) -> bool:
        """See `Method`."""
        result = {"epoch": epoch + 1, "accuracy": accuracy}
        return bool(self._scheduler.on_trial_result(self._trials[number], result) == "CONTINUE")

    def ended(self, number: int, best: float | None) -> None:
        """See `Method`."""
        self._scheduler.on_trial_remove(self._trials[number])


def _named(number: int) -> Any:
    """What Ray's scheduler needs to know of a trial."""
    return SimpleNamespace(trial_id=str(number))


def _domain(distribution: BaseDistribution) -> Any:
    from syne_tune.config_space import choice, loguniform, uniform

    if isinstance(distribution, CategoricalDistribution):
        return choice(list(distribution.choices))
    if not isinstance(distribution, FloatDistribution):
        raise TypeError(f"The recorded space has no {distribution}.")
    return (loguniform if distribution.log else uniform)(distribution.low, distribution.high)

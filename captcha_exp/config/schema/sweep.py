"""What a sweep searches, and how."""

from enum import Enum
from typing import Annotated, Any

from pydantic import Field, model_validator

from captcha_exp.config.fields import Count, Items, Must, NotNegativeWhole, Settings, Whole
from captcha_exp.errors import InputError
from captcha_exp.foreign_text import is_folder_name


class SamplerKind(Enum):
    """How the next trial is chosen."""

    tpe = "tpe"
    gp = "gp"
    random = "random"
    grid = "grid"
    nsga2 = "nsga2"


class SamplerConfig(Settings):
    """How values are drawn. `seed` null lets the system choose; each worker derives a different seed.

    `n_startup_trials` are random for tpe and gp, and one generation for nsga2. A grid needs countable values.
    """

    kind: SamplerKind
    seed: Whole | None
    n_startup_trials: Count


class PrunerKind(Enum):
    """How trials that fall behind are stopped."""

    none = "none"
    median = "median"
    hyperband = "hyperband"


class PrunerConfig(Settings):
    """When a trial is stopped early, judged by the first objective at each epoch.

    `n_warmup_epochs` is also hyperband's least number of epochs; only hyperband uses `reduction_factor`. `patience`
    lets the pruner act only after that many epochs without improvement; null does not wait.
    """

    kind: PrunerKind
    n_startup_trials: NotNegativeWhole
    n_warmup_epochs: NotNegativeWhole
    reduction_factor: Annotated[Whole, Field(ge=2)]
    patience: Count | None


class Direction(Enum):
    """Which direction of a metric is better."""

    maximize = "maximize"
    minimize = "minimize"


class ObjectiveConfig(Settings):
    """One metric of a finished run, and its better direction. Pruning uses the first objective."""

    metric: str
    direction: Direction


class SweepConfig(Settings):
    """A search. `space` maps keys to Hydra override syntax.

    `question` is what the sweep should find out; its report shows it. Null states no question.
    `storage` null is an SQLite database in the sweep's folder. `n_trials` is a total over all workers and restarts.
    A worker that was silent for four `heartbeat_s` counts as dead; its trial is retried at most `max_retries` times.
    The sweep stops when its first `stop_after_failures` trials all fail with the same reason.
    """

    name: Annotated[str, Must("usable as the name of a folder", is_folder_name)] | None
    question: str | None
    n_trials: Count
    workers: Count
    storage: Annotated[str | None, Field(repr=False)]
    space: dict[str, Any]
    sampler: SamplerConfig
    pruner: PrunerConfig
    objectives: Annotated[list[ObjectiveConfig], Field(min_length=1), Items("metric")]
    heartbeat_s: Count
    max_retries: NotNegativeWhole
    stop_after_failures: Count

    @model_validator(mode="after")
    def _one_objective_prunes(self) -> "SweepConfig":
        if len(self.objectives) > 1 and self.pruner.kind is not PrunerKind.none:
            raise InputError("pruner.kind must be none with several sweep.objectives: Optuna prunes on one only.")
        return self

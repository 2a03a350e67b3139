"""What a sweep searches, and how."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from omegaconf import MISSING


class SamplerKind(Enum):
    """Who proposes the next trial."""

    tpe = "tpe"
    gp = "gp"
    random = "random"
    grid = "grid"
    nsga2 = "nsga2"


@dataclass
class SamplerConfig:
    """`seed` null lets the system choose; workers always differ in it.

    `n_startup_trials` are random for tpe and gp, and one generation for nsga2. A grid needs countable values.
    """

    kind: SamplerKind = MISSING
    seed: int | None = MISSING
    n_startup_trials: int = MISSING


class PrunerKind(Enum):
    """Who stops trials that fall behind."""

    none = "none"
    median = "median"
    hyperband = "hyperband"


@dataclass
class PrunerConfig:
    """When a trial is not worth going on with, judged by the first objective at each epoch.

    `n_warmup_epochs` is also hyperband's least number of epochs; `reduction_factor` is hyperband's alone. `patience`
    lets the pruner act only after that many epochs without improvement; null does not wait.
    """

    kind: PrunerKind = MISSING
    n_startup_trials: int = MISSING
    n_warmup_epochs: int = MISSING
    reduction_factor: int = MISSING
    patience: int | None = MISSING


class Direction(Enum):
    """Which way of a metric is better."""

    maximize = "maximize"
    minimize = "minimize"


@dataclass
class ObjectiveConfig:
    """One metric of a finished run, and which way is better. The first is also what pruning looks at."""

    metric: str = MISSING
    direction: Direction = MISSING


@dataclass
class SweepConfig:
    """A search. `space` maps keys to Hydra override syntax; `trial_id` is set by the sweep for each job.

    `question` is what the sweep is to find out, for whoever reads its report; null leaves it unsaid.
    `storage` null is an SQLite database in the sweep's folder. `n_trials` is a total over all workers and restarts.
    A worker that was silent for four `heartbeat_s` counts as dead; its trial is retried at most `max_retries` times.
    The sweep stops when its first `stop_after_failures` trials all fail with the same reason.
    """

    name: str | None = MISSING
    question: str | None = MISSING
    n_trials: int = MISSING
    workers: int = MISSING
    storage: str | None = field(default=MISSING, repr=False)
    space: dict[str, Any] = MISSING
    sampler: SamplerConfig = MISSING
    pruner: PrunerConfig = MISSING
    objectives: list[ObjectiveConfig] = MISSING
    heartbeat_s: int = MISSING
    max_retries: int = MISSING
    stop_after_failures: int = MISSING
    trial_id: int | None = MISSING

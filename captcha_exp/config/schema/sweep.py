"""What a sweep searches, and how."""

import math
from enum import Enum, StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from captcha_exp.config.fields import Count, Items, Must, NotNegativeWhole, Number, Positive, Settings, Whole
from captcha_exp.config.sweep_order import is_limit, names_runs, run_sources, split_run_source
from captcha_exp.extension import is_function_name
from captcha_exp.foreign_text import is_folder_name


def _named_or_class(names: type[StrEnum]) -> Must:
    """A rule for the short name of a class, or its MODULE:CLASS. No stored configuration starts a search."""
    return Must(
        f"one of {', '.join(names)}, or MODULE:CLASS", lambda kind: kind in list(names) or is_function_name(kind)
    )


_MOST_SOURCE_LENGTH = 300  # it is part of the name of an attribute of the study


class SamplerKind(StrEnum):
    """How the next trial is chosen, in short names."""

    tpe = "tpe"
    gp = "gp"
    random = "random"
    grid = "grid"
    nsga2 = "nsga2"


class SamplerConfig(Settings):
    """How values are drawn. A grid needs countable values. A class of the user's own gets nothing but `options`."""

    kind: Annotated[str, _named_or_class(SamplerKind)]
    options: dict[str, Any] | None
    seed: Whole | None
    n_startup_trials: Count


class PrunerKind(StrEnum):
    """How trials that fall behind are stopped, in short names; `wilcoxon` stops them between repeats."""

    none = "none"
    asha = "asha"
    median = "median"
    hyperband = "hyperband"
    wilcoxon = "wilcoxon"


class RepeatOver(Enum):
    """What differs between the trainings of one trial: seeds alone, or the images that judge them."""

    seeds = "seeds"
    folds = "folds"


class PrunerConfig(Settings):
    """When a trial is stopped early; a class of the user's own gets nothing but `options`."""

    kind: Annotated[str, _named_or_class(PrunerKind)]
    options: dict[str, Any] | None
    n_startup_trials: NotNegativeWhole
    n_warmup_epochs: NotNegativeWhole
    reduction_factor: Annotated[Whole, Field(ge=2)]
    patience: Count | None
    first_objective: bool


class WorkerEngine(Enum):
    """What starts the workers of a sweep."""

    local = "local"
    ray = "ray"


class RayConfig(Settings):
    """A Ray cluster, and what each worker takes of it."""

    address: str | None
    num_cpus: Annotated[float, Field(ge=0)]
    num_gpus: Annotated[float, Field(ge=0)]
    runtime_env: dict[str, Any] | None


class Direction(Enum):
    """Which direction of a metric is better."""

    maximize = "maximize"
    minimize = "minimize"


class ObjectiveConfig(Settings):
    """One metric of a finished run, and its better direction. Pruning uses the first objective."""

    metric: str
    direction: Direction

    def rank(self, value: float, loss: float | None, number: int) -> tuple[float, float, int]:
        """The place of a finished trial in its sweep, as a sort key. The least is the best trial.

        This is the only rule that chooses among trials: for the sweep, its tables, its report and `promote`. With a
        hundred validation images equal accuracies are common. Then the lower validation loss is better, because it
        measures how sure the right texts were. If that is equal too, the older trial is taken.

        Args:
            value: the first objective; a number.
            loss: the validation loss of the epoch that was kept; None if it is not known, which counts as the worst.
            number: the trial's number in its sweep.
        """
        signed = -value if self.direction is Direction.maximize else value
        return signed, math.inf if loss is None or not math.isfinite(loss) else loss, number


def _each_once(entries: Any) -> list[str]:
    listed = entries if isinstance(entries, list) else [entries]
    return list(dict.fromkeys(source for entry in listed for source in run_sources(entry)))


def _is_source(text: str) -> bool:
    if names_runs(text):
        return text.isprintable() and bool(split_run_source(text)[1].strip()) and len(text) <= _MOST_SOURCE_LENGTH
    return is_folder_name(text) and "{" not in text


class SweepConfig(Settings):
    """A search; `conf/config.yaml` explains the keys.

    Values of `first` that are not in the space are drawn. `minutes` counts from each start.
    """

    name: Annotated[str, Must("usable as the name of a folder", is_folder_name)] | None
    question: str | None
    n_trials: Count
    repeats: Count
    repeat_over: RepeatOver
    workers: Count
    engine: WorkerEngine
    ray: RayConfig
    storage: Annotated[str | None, Field(repr=False)]
    space: dict[str, Any]
    sampler: SamplerConfig
    pruner: PrunerConfig
    constraints: dict[str, Annotated[str, Must("<= or >= and a number, e.g. '<= 500000'", is_limit)]] | None
    objectives: Annotated[list[ObjectiveConfig], Field(min_length=1), Items("metric")]
    heartbeat_s: Count
    max_retries: NotNegativeWhole
    stop_after_failures: Count
    first: list[dict[str, Any]]
    warm_start: Annotated[
        list[Annotated[str, Must("the name of a sweep, experiment:NAME, run:ID or {runs: [ID]}", _is_source)]],
        BeforeValidator(_each_once),
    ]
    minutes: Positive | None
    target: Number | None
    no_improvement_trials: Count | None
    trial_minutes: Positive | None
    report_every_s: Positive | None
    on_end: Annotated[
        Annotated[str, Must("a command or an address", lambda text: bool(text.strip()))] | None, Field(repr=False)
    ]

    @property
    def prunes(self) -> bool:
        """Whether trials are stopped early."""
        several = len(self.objectives) > 1
        return self.pruner.kind != PrunerKind.none and (not several or self.pruner.first_objective)

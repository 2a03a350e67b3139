"""The recorded learning curves: two sets, and the space that both were searched in."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from hydra.core.override_parser.overrides_parser import OverridesParser
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution

from captcha_exp.sweep.space import Space, build_space

EPOCHS = 12
# The keys of the shipped sweeps attention, training and architecture, without vgg, which takes five times as long.
SPACE = {
    "optimizer.learning_rate": "tag(log, interval(0.0003, 0.01))",
    "training.batch_size": "choice(16, 32, 64)",
    "augmentation": "choice(none, light, strong)",
    "cnn": "choice(compact, residual)",
    "transformer": "choice(pre_norm, lstm, none)",
    "transformer.dropout": "interval(0.0, 0.4)",
    "transformer.projection_dim": {
        "space": "choice(32, 64, 96, 128)",
        "when": {"transformer": ["pre_norm", "lstm"]},
    },
    "transformer.num_heads": {"space": "choice(1, 2, 4, 8)", "when": {"transformer": "pre_norm"}},
}
# What `conf/config.yaml` composed when the curves were recorded; it is the first trial of every shipped search.
DEFAULTS = {
    "optimizer.learning_rate": 0.004,
    "training.batch_size": 32,
    "augmentation": "light",
    "cnn": "compact",
    "transformer": "pre_norm",
    "transformer.dropout": 0.1,
    "transformer.projection_dim": 96,
    "transformer.num_heads": 4,
}
_SMALL = (
    *("dataset.image_height=24", "dataset.image_width=80", "dataset.validation_fraction=0.2"),
    *("dataset.test_fraction=0.05", f"training.epochs={EPOCHS}", "training.threads=1"),
)
DATASETS = {
    "easy": ("dataset=synthetic", "dataset.size=1200", *_SMALL),
    "hard": (
        *("dataset=styled", "dataset/style=[lines,waves]", "dataset.size=2000", "dataset.characters='0123456789'"),
        *("dataset.min_length=3", "dataset.max_length=3", *_SMALL),
    ),
}
FOLDER = Path(__file__).parent


def space() -> Space:
    """The searched space."""
    return build_space(SPACE, [], OverridesParser.create(), {})[0]


@dataclass(frozen=True)
class Curve:
    """One recorded training: its parameters, and by epoch the validation accuracy.

    `epoch_s` is the processor time of an epoch, `start_s` what the first epoch takes longer, mostly to compile.
    """

    params: Mapping[str, Any]
    accuracy: tuple[float, ...]
    start_s: float
    epoch_s: float

    @property
    def best(self) -> float:
        """The accuracy that the run would be judged by."""
        return max(self.accuracy)


class Table:
    """The curves of one set. A point of the space has the curve of the nearest recorded one."""

    def __init__(self, curves: list[Curve]) -> None:
        """Take curves of one space."""
        self.curves = curves
        self._parameters = space().parameters

    @cached_property
    def best(self) -> float:
        """The best accuracy of all."""
        return max(curve.best for curve in self.curves)

    @cached_property
    def _points(self) -> np.ndarray:
        return np.array([self._point(curve.params) for curve in self.curves])

    def nearest(self, params: Mapping[str, Any]) -> Curve:
        """The recorded training nearest to `params`. Each key is scaled to [0, 1]; other choices are 1 apart."""
        return self.curves[int(np.argmin(((self._points - self._point(params)) ** 2).sum(axis=1)))]

    def _point(self, params: Mapping[str, Any]) -> np.ndarray:
        return np.concatenate([_coordinates(p.domain.distribution, params.get(p.key)) for p in self._parameters])


def read_table(name: str) -> Table:
    """The recorded curves of a set of `DATASETS`."""
    with file_of(name).open(newline="") as file:
        return Table([_curve(row) for row in csv.DictReader(file)])


def file_of(name: str) -> Path:
    """Where the curves of a set are kept."""
    return FOLDER / f"{name}.csv"


def row_of(curve: Curve) -> dict[str, str]:
    """A curve as a row of the file."""
    accuracy = " ".join(f"{value:.4f}" for value in curve.accuracy)
    seconds = {"start_s": f"{curve.start_s:.2f}", "epoch_s": f"{curve.epoch_s:.3f}"}
    return {**{p.key: _text(curve.params.get(p.key)) for p in space().parameters}, **seconds, "accuracy": accuracy}


def _text(value: Any) -> str:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def _curve(row: Mapping[str, str]) -> Curve:
    params = {p.key: _value(p.domain.distribution, row[p.key]) for p in space().parameters if row[p.key]}
    accuracy = tuple(float(value) for value in row["accuracy"].split())
    return Curve(params, accuracy, float(row["start_s"]), float(row["epoch_s"]))


def _value(distribution: BaseDistribution, text: str) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        return next(choice for choice in distribution.choices if str(choice) == text)
    return float(text)


def _coordinates(distribution: BaseDistribution, value: Any) -> np.ndarray:
    """A value as numbers, of which two unequal choices are 1 apart, as are the ends of an interval."""
    if isinstance(distribution, CategoricalDistribution):
        return np.array([float(value == choice) for choice in distribution.choices]) / np.sqrt(2)
    if not isinstance(distribution, FloatDistribution):
        raise TypeError(f"The recorded space has no {distribution}.")
    ends = np.array([distribution.low, distribution.high, value])
    low, high, at = np.log(ends) if distribution.log else ends
    return np.array([(at - low) / (high - low)])

"""The validation images that the best trial got wrong."""

import base64
import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from markupsafe import Markup
from PIL import Image

from captcha_exp.config import load_dataset_config
from captcha_exp.dataset import Split, prepare_dataset
from captcha_exp.errors import InputError
from captcha_exp.metrics.accuracy import align
from captcha_exp.report.sweep_facts import SweepFacts
from captcha_exp.tracking import Store
from captcha_exp.tracking.trial_runs import read_artifact

_TABLE = "validation.csv"
_COLUMNS = ("name", "label", "prediction", "confidence", "correct")
# Most characters of a cell. No label is that long, and comparing two texts takes time quadratic in their length.
_LONGEST = 1_000
Marked = list[tuple[str, bool]]


@dataclass(frozen=True)
class WrongRead:
    """One image that was read wrong. Its texts are lists of (character, whether it is part of a mistake).

    `picture` is a data URI; None if the image is not available.
    """

    name: str
    label: Marked
    prediction: Marked
    confidence: float
    picture: Markup | None


@dataclass(frozen=True)
class WrongReads:
    """What the best trial got wrong of `images` validation images; `shown` are the most confident of the `wrong`.

    `problem` says why there are no pictures.
    """

    images: int
    wrong: int
    shown: list[WrongRead]
    problem: str | None


def wrong_reads(facts: SweepFacts, store: Store, root: Path, limit: int) -> WrongReads | None:
    """Read the predictions of the best trial, and find the images in the dataset's cache.

    Args:
        facts: the sweep.
        store: where its runs are.
        root: the folder under which `cache/` lies.
        limit: most images to show.

    Returns:
        None if no trial finished, or its run keeps no predictions.
    """
    best = facts.sweep.best
    if not best or best[0].run_id is None:
        return None
    table = read_artifact(store, best[0].run_id, _TABLE)
    rows = _rows(table) if table is not None else []
    if not rows:
        return None
    wrong = sorted((row for row in rows if row["correct"] == "0"), key=lambda row: -float(row["confidence"]))
    pictures: dict[str, np.ndarray] = {}
    problem = None
    if wrong:
        try:
            pictures = _pictures(facts, store, root, [row["name"] for row in wrong[:limit]])
        except InputError as error:
            problem = str(error)
    return WrongReads(len(rows), len(wrong), [_wrong_read(row, pictures) for row in wrong[:limit]], problem)


def _rows(table: str) -> list[dict[str, str]]:
    """The rows of a table of predictions. Anybody who shares the store can change it: a damaged table has no rows."""
    try:
        rows = list(csv.DictReader(io.StringIO(table)))
        usable = all(
            set(_COLUMNS) <= set(row)
            and all(row[column] is not None and len(row[column]) <= _LONGEST for column in _COLUMNS)
            and 0 <= float(row["confidence"]) <= 1
            for row in rows
        )
    except (csv.Error, ValueError):
        return []
    return rows if usable else []


def _pictures(facts: SweepFacts, store: Store, root: Path, names: list[str]) -> dict[str, np.ndarray]:
    """The images called `names`, as the best trial saw them.

    Raises:
        InputError: the run's configuration or its dataset cannot be used any more, or the dataset has changed.
    """
    trial = facts.sweep.best[0]
    run = facts.run_of(trial)
    text = read_artifact(store, str(trial.run_id), "config.yaml")
    if text is None or run is None:
        raise InputError(f"the run of {trial.name} keeps no config.yaml.")
    try:
        values = yaml.safe_load(text)["dataset"]
    except (yaml.YAMLError, TypeError, KeyError) as error:
        raise InputError(f"the run of {trial.name} keeps a config.yaml that names no dataset.") from error
    dataset = prepare_dataset(load_dataset_config(values), root)
    if dataset.fingerprint != run.tags.get("dataset.fingerprint"):
        raise InputError(f"the dataset {dataset.source_name} has changed since the sweep.")
    return _by_name(dataset.validation, set(names))


def _by_name(split: Split, wanted: set[str]) -> dict[str, np.ndarray]:
    return {name: split.images[row] for row, name in enumerate(split.names) if name in wanted}


def _wrong_read(row: dict[str, str], pictures: dict[str, np.ndarray]) -> WrongRead:
    pairs = align(row["label"], row["prediction"])
    image = pictures.get(row["name"])
    return WrongRead(
        name=row["name"],
        label=[(left, left != right) for left, right in pairs],
        prediction=[(right, left != right) for left, right in pairs],
        confidence=float(row["confidence"]),
        picture=None if image is None else _data_uri(image),
    )


def _data_uri(image: np.ndarray) -> Markup:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="PNG", optimize=True)
    return Markup("data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii"))

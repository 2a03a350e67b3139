"""Sweeps as they leave their folder, made without training."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import optuna
import pytest
from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.samplers import RandomSampler
from optuna.trial import FrozenTrial, TrialState, create_trial

from captcha_exp.config import Config, conf_dir, load_config
from captcha_exp.dataset import PreparedDataset, prepare_dataset
from captcha_exp.sweep.space import Space
from captcha_exp.sweep.study import N_TRIALS, PARENT_RUN, QUESTION, definition, open_study
from captcha_exp.tracking import Store, SweepRun, open_store
from captcha_exp.typed_texts import quoted

START = datetime(2026, 1, 1)
DROPOUT, HEADS = FloatDistribution(0.0, 0.4), CategoricalDistribution((1, 2, 4))
SMALL = [
    *("dataset.size=60", "dataset.image_height=24", "dataset.image_width=48", "dataset.characters=0123"),
    *("dataset.min_length=2", "dataset.max_length=3", "dataset.validation_fraction=0.2"),
]


@dataclass
class Trial:
    """What is to be told of one trial; `curve` is its validation accuracy by epoch."""

    curve: Sequence[float]
    dropout: float = 0.1
    heads: int = 1
    state: TrialState = TrialState.COMPLETE
    reason: str | None = None
    minutes: float = 1.0
    size: int = 1000
    loss: float | None = None

    def frozen(self, number: int, run_id: str) -> FrozenTrial:
        distributions: dict[str, BaseDistribution] = {"transformer.dropout": DROPOUT, "transformer.num_heads": HEADS}
        attributes: dict[str, Any] = {"run_id": run_id, "process": {}, "validation_loss": self.loss} | (
            {"reason": self.reason} if self.reason else {}
        )
        trial = create_trial(
            state=self.state,
            value=self.curve[-1] if self.state in (TrialState.COMPLETE, TrialState.PRUNED) else None,
            params={"transformer.dropout": self.dropout, "transformer.num_heads": self.heads},
            distributions=distributions,
            intermediate_values=dict(enumerate(self.curve)),
            user_attrs=attributes,
        )
        trial.datetime_start = START + timedelta(minutes=number)
        ended = self.state not in (TrialState.RUNNING, TrialState.WAITING)
        trial.datetime_complete = trial.datetime_start + timedelta(minutes=self.minutes) if ended else None
        return trial


class Place:
    """A root folder with a dataset, a store, and whatever sweeps a test makes in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.config = self.compose()
        self.store: Store = open_store(self.config.tracking, root)
        self.dataset: PreparedDataset = prepare_dataset(self.config.dataset, root)

    def compose(self, *overrides: str) -> Config:
        with initialize_config_dir(str(conf_dir()), version_base="1.3"):
            return load_config(hydra_compose("config", [f"root={self.root}", *SMALL, *overrides]))

    def sweep(
        self, name: str, trials: Sequence[Trial], question: str | None = "how much?", n_trials: int | None = None
    ) -> SweepRun:
        """Make the study, the runs and the folder of a sweep; its parent run is still open."""
        config = self.compose(f"sweep.name={quoted(name)}", "training.epochs=9")
        opened = open_study(config, RandomSampler(), definition(config, Space((), {}), {}))
        parent = SweepRun.start_or_resume(self.store, name, opened.key, {})
        opened.study.set_user_attr(QUESTION, question)
        opened.study.set_user_attr(N_TRIALS, len(trials) if n_trials is None else n_trials)
        opened.study.set_user_attr(PARENT_RUN, parent.run_id)
        for number, trial in enumerate(trials):
            run_id = self._run(parent, number, trial, config)
            opened.study.add_trial(trial.frozen(number, run_id))
        return parent

    def _run(self, parent: SweepRun, number: int, trial: Trial, config: Config) -> str:
        run = self.store.start_run(f"trial-{number:04d}", {"trial": str(number)}, parent.run_id)
        run.log_config(config)
        run.set_tags({"dataset.fingerprint": self.dataset.fingerprint})
        for epoch, accuracy in enumerate(trial.curve, start=1):
            run.log_epoch(epoch, {"val/sequence_accuracy": accuracy, "val/ctc_loss": 2 - accuracy})
        if trial.curve:
            run.log_metrics({"best/val/sequence_accuracy": trial.curve[-1], "model/parameters": trial.size})
            run.log_metrics({"seconds/fit": 30.0})
        if trial.loss is not None:
            run.log_metrics({"best/val/ctc_loss": trial.loss})
        if trial.state is TrialState.COMPLETE:
            run.log_text(self._predictions(trial.curve[-1]), "validation.csv")
            run.end()
        return run.run_id

    def _predictions(self, accuracy: float) -> str:
        """The table of a run that read this share of the images, and took the others' last character for 9."""
        split, text = self.dataset.validation, io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(["name", "origin", "label", "prediction", "confidence", "correct"])
        right = round(accuracy * len(split))
        for row, (name, label) in enumerate(zip(split.names, split.labels, strict=True)):
            read = label if row < right else label[:-1] + "9"
            table.writerow([name, "synthetic", label, read, "0.900000", int(read == label)])
        return text.getvalue()


@pytest.fixture(scope="session")
def place(give_database: Callable[[Path], None], tmp_path_factory: pytest.TempPathFactory) -> Place:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    root = tmp_path_factory.mktemp("reports")
    give_database(root)
    return Place(root)


@pytest.fixture
def written(place: Place) -> Callable[..., str]:
    """Write the report of sweeps and give its text."""
    from captcha_exp.config import ReportCommandConfig, load
    from captcha_exp.report.__main__ import with_report_key
    from captcha_exp.report.report_page import write_report

    def write(sweep: str, *overrides: str) -> str:
        arguments: list[Any] = with_report_key([f"root={place.root}", f"sweep={sweep}", *overrides])
        with initialize_config_dir(str(conf_dir()), version_base="1.3"):
            config = load(ReportCommandConfig, hydra_compose("report", arguments))
        return write_report(config).read_text()

    return write

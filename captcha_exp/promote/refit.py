"""Trains the chosen configuration again, with other seeds and on more images."""

import logging
from dataclasses import dataclass, field
from typing import Any

from captcha_exp.config import Config, PromotionConfig, RefitOn, load_stored_config
from captcha_exp.errors import InputError
from captcha_exp.experiment import run_experiment
from captcha_exp.promote.challenger import BY_ACCURACY, Chosen
from captcha_exp.tracking import Store

_log = logging.getLogger(__name__)
_ACCURACY, _LOSS = "best/val/sequence_accuracy", "best/val/ctc_loss"


@dataclass(frozen=True)
class _Refit:
    """The trial of a run that trains a configuration again. It reports to no search."""

    name: str
    tags: dict[str, str]
    searched: dict[str, Any] = field(default_factory=dict)
    parent_run_id: str | None = None
    pause: None = None
    repeats: None = None

    def report(self, epoch: int, metrics: dict[str, float]) -> bool:
        return False


def refit(store: Store, chosen: Chosen, config: PromotionConfig) -> Chosen:
    """Train the chosen run's configuration once for each of `refit.seeds`, and choose among those runs.

    If validation images are held out, they decide. If the refit also trains on them, only the test split is left, and
    it must not decide. Then the first seed is taken, and the others show how much a seed changes the figures. A seed
    that was trained before is not trained again.

    Raises:
        InputError: the configuration of the run can no longer be used.
    """
    if not config.refit.seeds:
        return chosen
    base = _configuration(store, chosen, config)
    runs = [_train(store, chosen, replace_seed(base, seed), config) for seed in config.refit.seeds]
    if config.refit.on is RefitOn["train+validation"]:
        seed = config.refit.seeds[0]
        reason = f"seed {seed}, the first of refit.seeds: with validation trained on, nothing else may choose"
        return Chosen(runs[0], chosen.sweep, f"{reason}; configuration of {chosen.reason}")
    figures = {run_id: _validation(store, run_id) for run_id in runs}
    best = min(runs, key=lambda run_id: BY_ACCURACY.rank(*figures[run_id], runs.index(run_id)))
    told = ", ".join(
        f"seed {seed} {figures[run_id][0]:.4f}" for seed, run_id in zip(config.refit.seeds, runs, strict=True)
    )
    return Chosen(best, chosen.sweep, f"the best refit by validation ({told}); configuration of {chosen.reason}")


def replace_seed(base: Config, seed: int) -> Config:
    """The same experiment with another training seed."""
    return base.model_copy(update={"training": base.training.model_copy(update={"seed": seed})})


def _configuration(store: Store, chosen: Chosen, config: PromotionConfig) -> Config:
    plain = store.logged_config(chosen.run_id)
    plain["root"] = config.root
    # The new runs are not trials of the sweep, and this command chooses where they are kept.
    plain["sweep"] |= {"name": None, "storage": None, "space": {}}
    plain["dataset"] |= {key: value for key, value in vars(config.dataset).items() if value is not None}
    if config.refit.epochs is not None:
        plain["training"] |= {"epochs": config.refit.epochs, "minutes": None}
    if config.refit.on is RefitOn["train+validation"]:
        plain["training"] |= {"use_validation": True, "patience": None}
    try:
        loaded = load_stored_config(plain)
    except InputError as error:
        raise InputError(f"The configuration of run {chosen.run_id} can no longer be used: {error}") from error
    return loaded.model_copy(update={"tracking": config.tracking})


def _train(store: Store, chosen: Chosen, experiment: Config, config: PromotionConfig) -> str:
    seed = experiment.training.seed
    tags = {
        "kind": "refit",
        "refit.of": chosen.run_id,
        "refit.seed": str(seed),
        "refit.on": config.refit.on.name,
        "refit.epochs": _duration(experiment),
    }
    for run in store.search(f"tags.`refit.of` = '{chosen.run_id}'"):
        if run.data.tags.get("outcome") == "finished" and tags.items() <= run.data.tags.items():
            _log.info("refit with seed %d: trained before as run %s", seed, run.info.run_id)
            return str(run.info.run_id)
    _log.info("refit with seed %d on %s", seed, config.refit.on.name)
    return run_experiment(experiment, trial=_Refit(f"refit-seed-{seed}", tags)).run_id


def _duration(experiment: Config) -> str:
    training = experiment.training
    return str(training.epochs) if training.minutes is None else f"{training.minutes:g} minutes"


def _validation(store: Store, run_id: str) -> tuple[float, float]:
    run = store.record(run_id)
    if run is None:
        raise InputError(f"run {run_id} was deleted in the meantime; type the command again.")
    return run.data.metrics[_ACCURACY], run.data.metrics[_LOSS]

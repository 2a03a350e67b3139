"""Samplers and pruners that are named by their class."""

import sys
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from optuna._imports import _LazyImport

from captcha_exp.config import Config
from captcha_exp.errors import InputError
from captcha_exp.sweep import plan_sweep
from captcha_exp.sweep.plan import SweepPlan
from captcha_exp.sweep.rehearsal import rehearse
from captcha_exp.sweep.samplers import build_pruner, build_sampler, worker_seed
from tests.sweep.conftest import Sweep

Compose = Callable[..., Config]
DROPOUT, DEPTH = "transformer.dropout", "transformer.depth"
SPACE = [f"{DROPOUT}=interval(0,0.4)", f"{DEPTH}=1,2,4"]


def planned(compose: Compose, *arguments: str) -> SweepPlan:
    config = compose("sweep.name=s", *arguments)
    return plan_sweep(config, SPACE, OverridesParser.create(), {}, lambda _: config)


def tried(compose: Compose, *arguments: str, seed: int = 0) -> list[float]:
    """The values of a key that a worker tries in twenty trials; 0.3 is best."""
    plan = planned(compose, *arguments)
    study = optuna.create_study(sampler=build_sampler(plan.config.sweep.sampler, plan.space, seed))

    def objective(trial: optuna.Trial) -> float:
        plan.space.suggest(trial)
        return float(abs(trial.params[DROPOUT] - 0.3))

    study.optimize(objective, n_trials=20)
    return [trial.params[DROPOUT] for trial in study.trials]


def test_qmc_spreads_its_trials_and_takes_its_options(compose: Compose) -> None:
    sobol = tried(compose, "sweep.sampler.kind=optuna.samplers:QMCSampler")
    assert {int(value / 0.05) for value in sobol[:16]} == set(range(8)), "each eighth has some of them"
    halton = "sweep.sampler.options={qmc_type: halton, scramble: true, seed: 3}"
    assert tried(compose, "sweep.sampler.kind=optuna.samplers:QMCSampler", halton) != sobol


def test_the_workers_seed_goes_to_a_class_that_takes_one(compose: Compose) -> None:
    kind = "sweep.sampler.kind=optuna.samplers:RandomSampler"
    assert tried(compose, kind, seed=1) == tried(compose, kind, seed=1) != tried(compose, kind, seed=2)
    fixed = "sweep.sampler.options={seed: 5}"
    assert tried(compose, kind, fixed, seed=1) == tried(compose, kind, fixed, seed=2)


def test_options_go_to_a_short_name_too(compose: Compose) -> None:
    assert tried(compose) != tried(compose, "sweep.sampler.options={n_ei_candidates: 2}")


CMA = ("sweep.sampler.kind=optuna.samplers:CmaEsSampler", "sweep.sampler.options={n_startup_trials: 2}")


def test_cma_es_comes_nearer_to_the_best(compose: Compose) -> None:
    rehearse(planned(compose, *CMA))
    values = tried(compose, *CMA)
    assert abs(sum(values[10:]) / 10 - 0.3) < abs(sum(values[:10]) / 10 - 0.3)


def test_a_package_that_is_missing_is_one_line_that_names_the_extra(
    compose: Compose, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cmaes", None)
    monkeypatch.setattr("optuna.samplers._cmaes.cmaes", _LazyImport("cmaes"))  # other tests have loaded it
    with pytest.raises(InputError) as caught:
        rehearse(planned(compose, *CMA))
    assert str(caught.value) == (
        "sweep.sampler.kind=optuna.samplers:CmaEsSampler cannot be used here: it needs the package cmaes: "
        "pip install 'captcha-exp[cmaes]'."
    )


def test_workers_share_one_quasi_random_sequence_also_after_a_new_start(compose: Compose, tmp_path: Path) -> None:
    qmc = ("sweep.sampler.kind=optuna.samplers:QMCSampler", "sweep.sampler.options={scramble: true}")
    plan = planned(compose, *qmc)

    def drawn(storage: str, workers: list[int]) -> list[float]:
        for worker in workers:
            seed = worker_seed(0, worker)
            sampler = build_sampler(plan.config.sweep.sampler, plan.space, seed)
            study = optuna.create_study(storage=storage, study_name="s", sampler=sampler, load_if_exists=True)
            plan.space.suggest(study.ask())
        return [trial.params[DROPOUT] for trial in study.trials]

    one, several = (f"sqlite:///{tmp_path}/{name}.db" for name in "ab")
    assert drawn(several, [0, 1, 0, 2, 3, 3])[1:] == drawn(one, [0] * 6)[1:], "the first draw is before the sequence"


@pytest.mark.parametrize(
    ("kind", "space", "total"),
    [("CmaEsSampler", f"{DROPOUT}=interval(0,0.4)", 8), ("BruteForceSampler", f"{DROPOUT}=choice(0.0,0.1,0.2)", 6)],
)
def test_two_workers_and_a_second_start_end_with_the_exact_total(
    sweep: Sweep, kind: str, space: str, total: int
) -> None:
    given = (f"sweep.sampler.kind=optuna.samplers:{kind}", f"{DEPTH}=range(1,3)", "training.epochs=1")
    code, printed = sweep.run(*given, "sweep.n_trials=3", space=space)
    assert code == 0 and len(sweep.tally().ended) == 3, printed
    code, printed = sweep.run(*given, "sweep.n_trials=8", space=space)
    assert code == 0, printed
    tried = [tuple(trial.params.values()) for trial in sweep.tally().trials]
    assert len(tried) == len(set(tried)) == total
    assert ("has tried everything" in printed) == (total < 8)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["sampler.kind=nowhere:Sampler"],
            r"^sweep\.sampler\.kind=nowhere:Sampler cannot be imported: No module named",
        ),
        (
            ["sampler.kind=optuna.samplers:None_"],
            r"module optuna\.samplers has no class None_ that is a BaseSampler\.$",
        ),
        (["sampler.kind=optuna.pruners:NopPruner"], r"has no class NopPruner that is a BaseSampler\.$"),
        (
            ["sampler.kind=tpe", "sampler.options={candidates: 2}"],
            r"^sweep\.sampler\.options names candidates, which TPE",
        ),
        (
            ["sampler.kind=optuna.samplers:GridSampler"],
            r"^sweep\.sampler\.kind: GridSampler cannot be made .*search_space",
        ),
        (
            ["sampler.kind=optuna.samplers:BruteForceSampler"],
            r"^sweep\.sampler\.kind=.*BruteForceSampler cannot be used",
        ),
        (["pruner.kind=optuna.pruners:ThresholdPruner"], r"^sweep\.pruner\.kind: ThresholdPruner cannot be made"),
        (["pruner.options={steps: 2}"], r"^sweep\.pruner\.options names steps, which PausingHalving does not take; it"),
        (["pruner.patience=2"], r"^sweep\.pruner\.patience=2 has no effect with sweep\.pruner\.kind=asha, where "),
        (
            ["sampler.kind=best"],
            r"^sweep\.sampler\.kind must be one of tpe, gp, random, grid, nsga2, or MODULE:CLASS, not",
        ),
        (
            ["pruner.kind=bohb"],
            r"^sweep\.pruner\.kind must be one of none, asha, median, hyperband, wilcoxon, or MODULE:CLASS, not 'bohb'",
        ),
    ],
)
def test_what_cannot_be_used_is_one_line_before_anything_starts(
    compose: Compose, arguments: list[str], told: str
) -> None:
    with pytest.raises(InputError, match=told) as caught:
        rehearse(planned(compose, *(f"sweep.{argument}" for argument in arguments)))
    assert len(str(caught.value).splitlines()) == 1


def test_a_pruner_gets_its_options_and_patience(compose: Compose) -> None:
    halving = ("sweep.pruner.kind=optuna.pruners:SuccessiveHalvingPruner", "sweep.pruner.options={min_resource: 3}")
    pruner = build_pruner(compose(*halving).sweep, 9)
    assert isinstance(pruner, optuna.pruners.SuccessiveHalvingPruner) and pruner._min_resource == 3
    patient = build_pruner(compose(*halving, "sweep.pruner.patience=2").sweep, 9)
    assert isinstance(patient, optuna.pruners.PatientPruner)


def test_brute_force_ends_a_sweep_that_has_tried_everything(sweep: Sweep) -> None:
    brute = ("sweep.sampler.kind=optuna.samplers:BruteForceSampler", "sweep.workers=1", "sweep.n_trials=9")
    halving = ("sweep.pruner.kind=optuna.pruners:SuccessiveHalvingPruner", "sweep.pruner.options={min_resource: 1}")
    space = f"{DROPOUT}=choice(0.0,0.1,0.2,0.3)"
    code, printed = sweep.run(*brute, *halving, space=space)
    assert code == 0, printed
    assert "; sweep.sampler.kind=optuna.samplers:BruteForceSampler has tried everything." in printed
    assert sorted(trial.params[DROPOUT] for trial in sweep.tally().trials) == [0.0, 0.1, 0.2, 0.3]
    assert sweep.outcomes()["pruned"] >= 1
    code, printed = sweep.run(*brute, *halving, space=space)
    assert code == 0 and "has tried everything" in printed and len(sweep.tally().trials) == 4
    code, printed = sweep.run(*brute, "sweep.sampler.kind=random", "sweep.n_trials=5", space=space)
    assert code == 0 and len(sweep.tally().ended) == 5, printed

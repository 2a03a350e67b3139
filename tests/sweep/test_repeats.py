"""Sweeps of real processes whose trials are trained several times."""

import csv
import os
import signal
from collections.abc import Callable

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from optuna.trial import FrozenTrial, TrialState

from captcha_exp.config import Config
from captcha_exp.errors import InputError
from captcha_exp.sweep import plan_sweep
from captcha_exp.sweep.repeats import told_too_few
from captcha_exp.sweep.study_facts import read_sweep
from tests.sweep.conftest import Sweep

METRIC, DROPOUT = "best/val/sequence_accuracy", "transformer.dropout"
THREE = ("sweep.repeats=3", "sweep.pruner.kind=none", "sweep.n_trials=3", "sweep.workers=1")
SIX = ("sweep.repeats=6", "sweep.pruner.kind=wilcoxon", "sweep.n_trials=6", "sweep.workers=1")


def values(trial: FrozenTrial) -> list[float]:
    return [repeat["metrics"][METRIC] for repeat in trial.user_attrs["repeats"]]


def test_a_trial_is_the_mean_of_its_repeats_in_all_that_is_written(sweep: Sweep) -> None:
    code, printed = sweep.run(*THREE)
    assert code == 0, printed
    trials = sweep.tally().trials
    assert [trial.state for trial in trials] == [TrialState.COMPLETE] * 3
    for trial in trials:
        first, second, third = values(trial)
        assert (first - second, second - third) == (pytest.approx(0.01), pytest.approx(0.01))
        assert trial.values == [pytest.approx(second)] and trial.user_attrs["mean"] == trial.values[0]
        assert trial.user_attrs["std"] == pytest.approx(0.01)
    best = max(trials, key=lambda trial: trial.values[0])
    assert f"best: trial {best.number}, {best.values[0]:.4f} ± 0.0100 over 3 repeats: " in printed
    assert "epoch 12/12" not in printed and "sweep.repeats" not in printed
    rows = list(csv.DictReader((sweep.folder / "sweeps/t/trials.csv").open()))
    assert [row["repeats"] for row in rows] == [" ".join(f"{value:.6g}" for value in values(t)) for t in trials]
    assert {row["std"] for row in rows} == {"0.01"} and {row["epochs"] for row in rows} == {"12"}
    read = read_sweep(sweep.folder, "t", None)
    assert [list(trial.repeats) for trial in read.trials] == [values(trial) for trial in trials]
    assert list(read.to_pandas().columns[2:5]) == [METRIC, "std", "repeats"]
    assert not any(trial.curve for trial in read.trials), "its steps are repeats, and no epochs"


def test_a_killed_trial_goes_on_in_the_repeat_where_it_was(sweep: Sweep) -> None:
    process = sweep.start(*THREE, "sweep.n_trials=1", EPOCH_S="0.3")
    worker = sweep.wait_for_begun(3)[-1]  # the trial, its first repeat, its second
    os.kill(worker, signal.SIGKILL)
    assert process.wait(240) == 0, sweep.printed()
    lost, again = sweep.tally().trials
    assert (lost.state, again.state) == (TrialState.FAIL, TrialState.COMPLETE)
    repeats = again.user_attrs["repeats"]
    assert [repeat["run_id"] for repeat in repeats] == ["run-trial-0000-0", "run-trial-0001-1", "run-trial-0001-2"]
    assert again.values == [pytest.approx(sum(values(again)) / 3)]
    assert [repeat["epochs"] for repeat in repeats] == [4, 8, 12]


def test_a_trial_that_is_surely_worse_than_the_best_is_not_repeated_further(sweep: Sweep) -> None:
    code, printed = sweep.run(*SIX, f"sweep.first=[{{{DROPOUT}: 0.3}}]")
    assert code == 0, printed
    best, *others = sweep.tally().trials
    assert best.params == {DROPOUT: 0.3} and len(values(best)) == 6
    assert {len(values(trial)) for trial in others} == {4}, "four that are all worse are enough"
    assert {trial.state for trial in others} == {TrialState.PRUNED}
    shown = read_sweep(sweep.folder, "t", None).trials
    assert [trial.values for trial in shown] == [
        (pytest.approx(sum(trial.repeats) / len(trial.repeats)),) for trial in shown
    ]
    code, printed = sweep.run(*SIX, "sweep.n_trials=7")
    assert code == 0 and len(sweep.tally().ended) == 7, printed


def test_the_first_of_several_objectives_may_end_a_trial_between_its_repeats(sweep: Sweep) -> None:
    both = f"sweep.objectives=[{{metric: {METRIC}, direction: maximize}}, {{metric: latency_ms, direction: minimize}}]"
    first = f"sweep.first=[{{{DROPOUT}: 0.3}}]"
    code, printed = sweep.run(*SIX, both, first, "sweep.n_trials=3", "sweep.pruner.first_objective=true")
    assert code == 0, printed
    best, *others = sweep.tally().trials
    assert best.values == [pytest.approx(values(best)[0] - 0.025), 12.5]
    assert {trial.state for trial in others} == {TrialState.PRUNED}


def test_another_number_of_repeats_is_another_search(sweep: Sweep) -> None:
    assert sweep.run(*THREE, "sweep.n_trials=1")[0] == 0
    code, printed = sweep.run(*THREE, "sweep.repeats=4")
    assert code == 2 and "sweep.repeats was 3, is 4" in printed


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            ["sweep.repeats=3"],
            r"^sweep\.repeats=3 judges .*kind=asha .*add `sweep\.pruner\.kind=wilcoxon`.*kind=none`\.$",
        ),
        (["sweep.repeats=3", "sweep.pruner.kind=median"], r"^sweep\.repeats=3 judges .*kind=median stops"),
        (["sweep.pruner.kind=wilcoxon"], r"^sweep\.pruner\.kind=wilcoxon compares .*, e\.g\. `sweep\.repeats=5`"),
        (
            ["sweep.repeats=9", "sweep.pruner.kind=none", "sweep.repeat_over=folds", "dataset.validation_fold=1"],
            r"^sweep\.repeats=9 with sweep\.repeat_over=folds .*validation_fraction=0\.1 gives 8 from .*_fold=1 on\.$",
        ),
        (["sweep.repeats=0"], r"^sweep\.repeats must be .*1"),
    ],
)
def test_repeats_and_a_pruner_that_do_not_fit_are_one_line(
    compose: Callable[..., Config], arguments: list[str], told: str
) -> None:
    with pytest.raises(InputError, match=told) as caught:
        config = compose("sweep.name=s", *arguments)
        plan_sweep(config, [f"{DROPOUT}=interval(0,0.4)"], OverridesParser.create(), {}, lambda _: config)
    assert len(str(caught.value).splitlines()) == 1


def test_too_few_repeats_to_be_sure_are_told(compose: Callable[..., Config]) -> None:
    wilcoxon = "sweep.pruner.kind=wilcoxon"
    assert "after four at the earliest, and sweep.repeats=4" in str(told_too_few(compose("sweep.repeats=4", wilcoxon)))
    assert told_too_few(compose("sweep.repeats=5", wilcoxon)) is None
    assert told_too_few(compose("sweep.repeats=4", wilcoxon, "sweep.pruner.options={p_threshold: 0.2}")) is None

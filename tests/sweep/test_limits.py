"""Limits that a trial must keep to be a result."""

import csv
from collections.abc import Callable

import optuna
import pytest
from optuna.trial import TrialState

from captcha_exp.config import Config
from captcha_exp.errors import InputError
from captcha_exp.sweep.ends import Ends
from captcha_exp.sweep.job_result import TrialFailedError
from captcha_exp.sweep.limits import note_limits
from captcha_exp.sweep.live_view import best_trials
from captcha_exp.sweep.sweep_tables import counts
from captcha_exp.sweep.tally import Tally, TrialOutcome
from tests.sweep.conftest import Sweep

Compose = Callable[..., Config]
SMALL = {"model/parameters": "<= 500000"}


def test_an_infeasible_trial_is_no_result_whatever_its_value(compose: Compose) -> None:
    sweep = compose("sweep.target=0.9").sweep
    study = optuna.create_study(direction="maximize")
    for value, parameters in ((0.8, 500000.0), (0.99, 500001.0)):
        trial = study.ask()
        note_limits(trial, {"model/parameters": parameters}, SMALL, whole=True)
        study.tell(trial, value)
    tally = Tally(study.trials)
    assert [tally.outcome(trial) for trial in tally.trials] == [TrialOutcome.finished, TrialOutcome.infeasible]
    assert tally.reason(tally.trials[1]) == "model/parameters is 500001, not <= 500000"
    assert [trial.number for trial in best_trials(tally, sweep.objectives)] == [0]
    assert counts(tally) == "1 finished, 1 infeasible"
    assert len(tally.ended) == 2 and Ends(sweep).reason(tally) is None


def test_limits_go_both_ways_and_need_their_metric() -> None:
    study = optuna.create_study()
    trial, other = study.ask(), study.ask()
    note_limits(trial, {"latency_ms": 4.0, "a": 0.5}, {"latency_ms": "<=5", "a": ">= 0.75"}, whole=True)
    assert study.trials[0].constraints == {"latency_ms": -1.0, "a": 0.25}
    with pytest.raises(
        TrialFailedError, match=r"^sweep\.constraints names b, which is no number of this run; it has a$"
    ):
        note_limits(other, {"a": 0.5}, {"b": "<= 5"}, whole=True)
    with pytest.raises(TrialFailedError, match="names a, which is no number"):
        note_limits(other, {"a": float("nan")}, {"a": "<= 5"}, whole=False)
    note_limits(other, {"a": 0.5}, {"b": "<= 5"}, whole=False)
    assert study.trials[1].constraints == {}


def test_the_sampler_learns_from_them_also_where_trials_were_pruned() -> None:
    def objective(trial: optuna.Trial) -> float:
        x = trial.suggest_float("x", 0, 1)
        note_limits(trial, {"size": x}, {"size": "<= 0.3"}, whole=trial.number % 3 != 0)
        if trial.number % 3 == 0:
            raise optuna.TrialPruned
        return x

    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=0))
    study.optimize(objective, n_trials=40)
    assert sum(trial.params["x"] <= 0.3 for trial in study.trials[20:]) > 10
    pruned = [trial for trial in study.trials if trial.state is TrialState.PRUNED]
    assert pruned and all(Tally(study.trials).outcome(trial) is TrialOutcome.pruned for trial in pruned)


@pytest.mark.parametrize("limit", ["500000", "< 5", "<= many", "== 5", "<= inf"])
def test_a_limit_of_another_form_is_one_line(compose: Compose, limit: str) -> None:
    with pytest.raises(InputError) as caught:
        compose(f"sweep.constraints={{model/parameters: '{limit}'}}")
    assert str(caught.value) == (
        f"sweep.constraints.model/parameters must be <= or >= and a number, e.g. '<= 500000', not {limit!r}."
    )


def test_a_trial_beyond_a_limit_is_shown_as_such_and_is_not_the_best(sweep: Sweep) -> None:
    limit = "sweep.constraints={latency_ms: '<= 38'}"
    first = "sweep.first=[{transformer.dropout: 0.3},{transformer.dropout: 0.25}]"
    given = ("sweep.workers=1", "sweep.n_trials=2", "sweep.pruner.kind=none", first)
    code, printed = sweep.run(*given, limit)
    assert code == 0, printed
    assert "trial 0 infeasible: latency_ms is 40, not <= 38" in printed
    assert "1 finished, 1 infeasible" in printed and "best: trial 1," in printed
    with (sweep.folder / "sweeps/t/trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["state"], row["reason"]) for row in rows] == [
        ("infeasible", "latency_ms is 40, not <= 38"),
        ("finished", ""),
    ]
    code, printed = sweep.run(*given, "sweep.name=u", "sweep.constraints={latency_ms: '<= 9'}")
    assert code == 1
    assert "No trial keeps to sweep.constraints" in printed
    assert "The nearest is trial 1: latency_ms is 35, not <= 9. Loosen them, or change `sweep.space`" in printed
    code, printed = sweep.run(*given, "sweep.constraints={latency_ms: '<= 99'}")
    assert code == 2 and "sweep.constraints.latency_ms was <= 38, is <= 99" in printed

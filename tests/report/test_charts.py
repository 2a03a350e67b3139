"""The numbers behind a report's charts and sentences."""

from datetime import datetime, timedelta

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.study import StudyDirection
from optuna.trial import TrialState, create_trial

from captcha_exp.report.charts.axis_focus import focus_on
from captcha_exp.report.charts.tradeoff import front_of
from captcha_exp.report.cost import busy_minutes
from captcha_exp.sweep.key_importance import measure_importance
from captcha_exp.sweep.storage import SPANS
from captcha_exp.sweep.study_facts import ReadTrial
from captcha_exp.sweep.tally import Tally, TrialOutcome

START = datetime(2026, 1, 1)


def ran(begin: float, end: float) -> ReadTrial:
    """A trial that ran from one minute to another."""
    started, ended = (START + timedelta(minutes=minute) for minute in (begin, end))
    return ReadTrial(0, TrialOutcome.finished, None, (), None, (), {}, {}, 0, ((started, ended),), False, None)


def test_minutes_count_once_however_many_trials_ran_in_them_and_pauses_do_not() -> None:
    trials = [ran(0, 4), ran(1, 3), ran(2, 6), ran(100, 101)]
    assert busy_minutes(trials) == 7
    assert busy_minutes(trials, until=START + timedelta(minutes=5)) == 5


def test_on_the_front_is_what_nothing_beats_in_both() -> None:
    places = [(3.0, 0.9), (1.0, 0.5), (2.0, 0.5), (2.0, 0.8), (4.0, 0.85), (1.0, 0.4)]
    assert front_of(places) == [(1.0, 0.5), (2.0, 0.8), (3.0, 0.9)]


def test_the_axis_shows_the_good_ones_apart_and_the_hopeless_at_its_edge() -> None:
    accuracies = [0.99, 0.98, 0.97, 0.95, 0.96, 0.0, 0.01]
    focus = focus_on(accuracies, maximize=True)
    assert (focus.best, focus.worst) == (0.99, 0.95)
    assert [value for value in accuracies if focus.outside(value)] == [0.0, 0.01]
    errors = focus_on([1 - value for value in accuracies], maximize=False)
    assert errors.outside(1.0) and not errors.outside(0.05)
    even = focus_on([0.1, 0.2, 0.3, 0.4, 0.5], maximize=True)
    assert not any(map(even.outside, (0.1, 0.5)))


def a_tally(way: int) -> Tally:
    """Pruned and finished trials whose accuracy hangs on `cnn` alone; `way` -1 turns it into an error."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for number in range(16):
        good, dropout = number % 4 == 0, (number * 7 % 16) / 16
        study.add_trial(
            create_trial(
                state=TrialState.COMPLETE if good else TrialState.PRUNED,
                value=way * 0.99 if good else None,
                params={"cnn": "residual" if good else "vgg", "transformer.dropout": dropout},
                distributions={
                    "cnn": CategoricalDistribution(("residual", "vgg")),
                    "transformer.dropout": FloatDistribution(0, 1),
                },
                intermediate_values={0: 0.0, 1: way * (0.8 if good else 0.1 + number / 1000)}
                | ({2: way * 0.99} if good else {}),
            )
        )
    return Tally(study.get_trials())


def test_importance_compares_pruned_trials_at_the_last_epoch_that_all_saw() -> None:
    for way, direction in ((1, StudyDirection.MAXIMIZE), (-1, StudyDirection.MINIMIZE)):
        found = measure_importance(a_tally(way), direction)
        assert (found.trials, found.epoch) == (16, 2)
        assert found.foremost == "cnn"
        assert found.shares["cnn"].low > 0.5


def test_importance_compares_trials_that_paused_by_how_far_they_came() -> None:
    """Early on the worse choice is ahead, so values of the same epoch would name it as the better one."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for number in range(16):
        good, dropout = number % 4 == 0, (number * 7 % 16) / 16
        study.add_trial(
            create_trial(
                state=TrialState.PRUNED,
                params={"cnn": "residual" if good else "vgg", "transformer.dropout": dropout},
                distributions={
                    "cnn": CategoricalDistribution(("residual", "vgg")),
                    "transformer.dropout": FloatDistribution(0, 1),
                },
                intermediate_values={0: 0.1, 1: 0.2} if good else {0: 0.4 + number / 100},
                user_attrs={SPANS: []},
            )
        )
    found = measure_importance(Tally(study.get_trials()), StudyDirection.MAXIMIZE)
    assert (found.trials, found.epoch, found.paused, found.foremost) == (16, None, True, "cnn")
    assert found.shares["cnn"].low > 0.5


def test_importance_says_why_it_cannot_be_told() -> None:
    few = Tally(a_tally(1).trials[:3])
    found = measure_importance(few, StudyDirection.MAXIMIZE)
    assert found.missing == "it takes 4 trials that can be compared, and there are 3"

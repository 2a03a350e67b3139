"""What a person sees of a sweep."""

import io
from collections.abc import Callable
from datetime import datetime, timedelta

import optuna
from hydra.core.override_parser.overrides_parser import OverridesParser
from optuna.trial import TrialState, create_trial
from rich.console import Console
from rich.text import Text

from captcha_exp.config import Config
from captcha_exp.sweep import plan_sweep
from captcha_exp.sweep.live_table import short_names
from captcha_exp.sweep.live_view import View, duration
from captcha_exp.sweep.plan import SweepPlan
from captcha_exp.sweep.storage import PROCESS
from captcha_exp.sweep.tally import Tally

START = datetime(2026, 1, 1)
X = optuna.distributions.FloatDistribution(0, 1)


def a_plan(compose: Callable[..., Config], *overrides: str) -> SweepPlan:
    median = ("sweep.pruner.kind=median", "sweep.pruner.n_warmup_epochs=6")
    config = compose("sweep.name=s", "sweep.n_trials=4", "training.epochs=9", *median, *overrides)
    return plan_sweep(config, ["transformer.dropout=interval(0,1)"], OverridesParser.create(), {}, lambda _: config)


def trials() -> list[optuna.trial.FrozenTrial]:
    finished = create_trial(value=0.75, params={"x": 0.5}, distributions={"x": X})
    running = create_trial(
        state=TrialState.RUNNING,
        params={"x": 0.25},
        distributions={"x": X},
        intermediate_values={0: 0.1, 1: 0.625},
        user_attrs={PROCESS: {}},
    )
    failed = create_trial(state=TrialState.FAIL, user_attrs={"reason": "no memory"})
    made = [finished, running, failed]
    for number, trial in enumerate(made):
        trial.number = number
        trial.datetime_start = START
    finished.datetime_complete = failed.datetime_complete = START + timedelta(seconds=100)
    return made


def test_without_a_terminal_each_change_is_one_line(compose: Callable[..., Config]) -> None:
    out = io.StringIO()
    view = View(a_plan(compose), Console(file=out, width=200), lambda: START + timedelta(seconds=40))
    with view:
        view.update(Tally([]))
        view.update(Tally(trials()))
        view.update(Tally(trials()))
    assert out.getvalue().splitlines() == [
        "trial 0 finished: 0.7500 (2 of 4 trials ended, 1 failed, best 0.7500 in trial 0, about 2 min 40 s left)",
        "trial 1 started: x=0.25",
        "trial 2 failed: no memory (2 of 4 trials ended, 1 failed, best 0.7500 in trial 0, about 2 min 40 s left)",
    ]


def test_trials_that_last_some_minutes_show_their_epoch_alone(compose: Callable[..., Config]) -> None:
    minutes = ("training.epochs=null", "training.minutes=5", "sweep.pruner.kind=none")
    view = View(a_plan(compose, *minutes), Console(file=io.StringIO()))
    assert view._at(trials()[1]) == ("2", "0.6250")
    assert View(a_plan(compose), Console(file=io.StringIO()))._at(trials()[1]) == ("2/9", "0.6250")


def test_a_terminal_shows_each_running_trial(compose: Callable[..., Config]) -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=120)
    view = View(a_plan(compose), console, lambda: START + timedelta(seconds=40))
    with view:
        view.update(Tally(trials()))
        console.print(view._table(Tally(trials())))
    lines = [" ".join(line.split()) for line in Text.from_ansi(out.getvalue()).plain.splitlines()]
    assert "2 of 4 trials ended, 1 failed, best 0.7500 in trial 0, about 2 min 40 s left" in lines
    assert "1 2/9 0.6250 40 s x=0.25" in lines
    assert "0 finished 0.7500 1 min 40 s x=0.5" in lines
    assert "2 failed 1 min 40 s no memory" in lines


def test_keys_are_shown_by_their_last_part_where_that_says_which() -> None:
    keys = ["transformer.dropout", "cnn.dropout", "cnn", "transformer.num_heads"]
    assert list(short_names(keys).values()) == ["transformer.dropout", "cnn.dropout", "cnn", "num_heads"]


def test_durations_are_short() -> None:
    assert [duration(s) for s in (59.4, 61, 599, 3600)] == ["59 s", "1 min 1 s", "9 min 59 s", "60 min"]


def test_without_a_terminal_a_long_trial_is_heard_of(compose: Callable[..., Config]) -> None:
    out = io.StringIO()
    clock = [START]
    view = View(a_plan(compose), Console(file=out, width=200), lambda: clock[0])
    view.update(Tally(trials()))
    clock[0] += timedelta(seconds=61)
    view.update(Tally(trials()))
    view.update(Tally(trials()))
    assert out.getvalue().splitlines()[1:] == [
        "2 of 4 trials ended, 1 failed, best 0.7500 in trial 0, about 2 min 19 s left; trial 1 2/9 0.6250"
    ]

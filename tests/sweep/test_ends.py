"""Ends of a search before its last trial."""

from collections.abc import Callable
from datetime import datetime

import optuna
from optuna.trial import TrialState, create_trial

from captcha_exp.config import Config
from captcha_exp.sweep.ends import Ends
from captcha_exp.sweep.storage import SPANS
from captcha_exp.sweep.tally import Tally
from tests.sweep.conftest import Sweep


def tally(*values: float | None, direction: str = "maximize") -> Tally:
    """Trials that ended one after another. None is a pruned one."""
    study = optuna.create_study(direction=direction)
    for value in values:
        trial = study.ask()
        state = optuna.trial.TrialState.PRUNED if value is None else optuna.trial.TrialState.COMPLETE
        study.tell(trial, value, state=state)
    return Tally(study.get_trials())


def reason(config: Config, *values: float | None, direction: str = "maximize") -> str | None:
    return Ends(config.sweep).reason(tally(*values, direction=direction))


def test_without_ends_a_search_goes_on(compose: Callable[..., Config]) -> None:
    assert reason(compose(), *[0.5] * 50, 1.0) is None


def test_the_target_of_the_first_objective_ends_it(compose: Callable[..., Config]) -> None:
    config = compose("sweep.target=0.9")
    assert reason(config, 0.5, None, 0.89) is None
    assert reason(config, 0.5, 0.9, 0.7) == "trial 1 reached sweep.target=0.9 with 0.9"
    least = compose("sweep.target=0.2", "sweep.objectives=[{metric: best/val/ctc_loss, direction: minimize}]")
    assert reason(least, 0.5, 0.3, direction="minimize") is None
    assert reason(least, 0.5, 0.1, direction="minimize") == "trial 1 reached sweep.target=0.2 with 0.1"


def test_trials_that_are_no_better_end_it(compose: Callable[..., Config]) -> None:
    config = compose("sweep.no_improvement_trials=3")
    assert reason(config, None, None, None, None) is None, "nothing is known before a trial finishes"
    assert reason(config, 0.5, 0.6, 0.4, None) is None
    told = reason(config, 0.5, 0.6, 0.4, None, 0.6)
    assert told == "3 trials in a row were no better than trial 1 (sweep.no_improvement_trials)"
    assert reason(config, 0.5, 0.6, 0.4, None, 0.7) is None


def test_paused_trials_count_as_no_better(compose: Callable[..., Config]) -> None:
    config = compose("sweep.no_improvement_trials=2")
    paused = [
        create_trial(
            state=TrialState.WAITING,
            intermediate_values={0: 0.1},
            user_attrs={SPANS: [[f"2026-01-01T0{hour}:00:00", f"2026-01-01T0{hour}:30:00"]]},
        )
        for hour in (1, 5, 6)
    ]
    best = create_trial(state=TrialState.COMPLETE, value=0.5)
    best.datetime_start, best.datetime_complete = datetime(2026, 1, 1, 2), datetime(2026, 1, 1, 3)
    for number, trial in enumerate([*paused, best]):
        trial.number = number
    assert Ends(config.sweep).reason(Tally([*paused[:2], best])) is None, "the first paused before the best ended"
    assert Ends(config.sweep).reason(Tally([*paused, best])) is not None


def test_minutes_end_it(compose: Callable[..., Config]) -> None:
    assert reason(compose("sweep.minutes=60")) is None
    assert reason(compose("sweep.minutes=1e-9")) == "sweep.minutes=1e-09 are over"


def test_a_sweep_that_reached_its_target_stops_the_others_and_goes_on_with_a_higher_one(sweep: Sweep) -> None:
    slow = ("sweep.n_trials=4", "sweep.target=0.7", "training.epochs=4")
    code, printed = sweep.run(*slow, "sweep.pruner.kind=none", EPOCH_S="0.5")
    assert code == 0, printed
    assert "reached sweep.target=0.7 with" in printed and "sweep t ended:" in printed and "best: trial" in printed
    ended = len(sweep.tally().ended)
    assert ended < 4
    code, printed = sweep.run(*slow, "sweep.pruner.kind=none")
    assert code == 0 and "reached sweep.target=0.7" in printed
    assert len(sweep.tally().ended) == ended, "it is reached already"
    code, printed = sweep.run(*slow, "sweep.pruner.kind=none", "sweep.target=null")
    assert code == 0, printed
    assert len(sweep.tally().ended) == 4
    assert "sweep.target" not in printed


def test_a_sweep_ends_after_its_minutes_with_what_it_has(sweep: Sweep) -> None:
    code, printed = sweep.run("sweep.n_trials=50", "sweep.minutes=0.25", "sweep.workers=1", EPOCH_S="0.2")
    assert code == 0, printed
    assert "; sweep.minutes=0.25 are over." in printed
    assert 0 < len(sweep.tally().ended) < 50

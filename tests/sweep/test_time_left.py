"""The time left counts pruning, shown on the durations of a real sweep."""

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial

from captcha_exp.config import Config
from captcha_exp.sweep.storage import SPANS
from captcha_exp.sweep.tally import Tally
from captcha_exp.sweep.time_left import seconds_left

START = datetime(2026, 1, 1)
PLANNED = 20
# Epochs and seconds of each trial of `+sweep=attention`, as recorded with two workers.
RECORDED = [
    *((20, 70.4), (20, 78.2), (20, 60.6), (20, 45.8), (7, 20.7), (10, 27.0)),
    *((7, 24.1), (7, 22.9), (7, 29.3), (7, 23.3), (7, 23.7), (20, 78.6)),
]


def schedule(workers: int) -> list[tuple[float, float]]:
    """When each trial begins and ends, in seconds, if the next one begins as soon as a worker is free."""
    free, spans = [0.0] * workers, []
    for _, seconds in RECORDED:
        begin = heapq.heappop(free)
        heapq.heappush(free, begin + seconds)
        spans.append((begin, begin + seconds))
    return spans


def at(moment: float, spans: list[tuple[float, float]]) -> Tally:
    """The study at that second."""
    trials = [
        _trial(number, moment, *span, RECORDED[number][0]) for number, span in enumerate(spans) if span[0] <= moment
    ]
    return Tally(trials)


def _trial(number: int, moment: float, begin: float, end: float, epochs: int) -> FrozenTrial:
    ended = end <= moment
    done = epochs if ended else int(epochs * (moment - begin) / (end - begin))
    state = TrialState.RUNNING
    if ended:
        state = TrialState.COMPLETE if epochs == PLANNED else TrialState.PRUNED
    trial = create_trial(state=state, value=0.9 if ended else None, intermediate_values=dict.fromkeys(range(done), 0.5))
    trial.number, trial.datetime_start = number, START + timedelta(seconds=begin)
    trial.datetime_complete = START + timedelta(seconds=end) if ended else None
    return trial


def error(ended: int, workers: int, config: Config) -> float:
    """The share by which the time left is wrong when so many trials have ended."""
    spans = schedule(workers)
    moment = sorted(end for _, end in spans)[ended - 1]
    left = seconds_left(at(moment, spans), config, len(RECORDED), START + timedelta(seconds=moment))
    true = max(end for _, end in spans) - moment
    assert left is not None
    return left / true - 1


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_after_a_quarter_of_the_trials_it_is_at_most_30_percent_wrong(
    workers: int, compose: Callable[..., Config]
) -> None:
    """The first trials are never pruned, and their mean told "about 39 min left" of what took 15."""
    config = compose(
        "sweep.name=s", f"training.epochs={PLANNED}", f"sweep.workers={workers}", "sweep.pruner.kind=median"
    )
    for ended in (3, 4, 5, 6):
        assert abs(error(ended, workers, config)) <= 0.3, ended


def test_without_a_pruner_all_epochs_count(compose: Callable[..., Config]) -> None:
    config = compose("sweep.name=s", "training.epochs=20", "sweep.workers=1", "sweep.pruner.kind=none")
    one = _trial(0, 40, 0, 40, PLANNED)
    assert seconds_left(Tally([one]), config, 4, START + timedelta(seconds=40)) == pytest.approx(120)
    assert seconds_left(Tally([one]), config, 1, START) is None
    assert seconds_left(Tally([]), config, 1, START) is None


def test_trials_that_pause_count_as_far_as_they_will_go(compose: Callable[..., Config]) -> None:
    """27 trials: 27 x 2 epochs, 9 go on for 4, 3 of them for 12, 1 of them for 2 more."""
    config = compose("sweep.name=s", f"training.epochs={PLANNED}", "sweep.workers=1", "sweep.n_trials=27")
    paused = [_paused(number) for number in range(9)]
    left = seconds_left(Tally(paused), config, 27, START)
    assert left == pytest.approx(3.0 * (27 * 2 + 9 * 4 + 3 * 12 + 2 - 9 * 2))
    assert seconds_left(Tally([]), config, 27, START) is None
    many = [_paused(number) for number in range(25)] + [_paused(25, epochs=120)]
    assert seconds_left(Tally(many), config, 27, START) == pytest.approx(2 * 26 * 6 / (25 * 2 + 120)), "one is to begin"


def _paused(number: int, epochs: int = 2) -> FrozenTrial:
    """It ran for six seconds, and has paused since."""
    spans = [[START.isoformat(), (START + timedelta(seconds=6)).isoformat()]]
    trial = create_trial(
        state=TrialState.WAITING, intermediate_values=dict.fromkeys(range(epochs), 0.1), user_attrs={SPANS: spans}
    )
    trial.number = number
    return trial

"""Which trials pause, and which go on."""

import math
from collections.abc import Sequence

import optuna
import pytest
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from captcha_exp.config import Direction, ObjectiveConfig
from captcha_exp.sweep.halving import PausingHalving
from captcha_exp.sweep.paused_trials import KeepsPaused, is_paused
from captcha_exp.sweep.storage import LOSSES
from captcha_exp.sweep.tally import Tally

BEST = ObjectiveConfig(metric="best/val/sequence_accuracy", direction=Direction.maximize)
LEAST = ObjectiveConfig(metric="best/val/ctc_loss", direction=Direction.minimize)
RUNGS = {"shortest": 2, "reduction": 3, "epochs": 20}
HALVING = PausingHalving(BEST, **RUNGS)


def trial(
    number: int, *values: float, state: TrialState = TrialState.WAITING, loss: float | None = None
) -> FrozenTrial:
    made = create_trial(
        state=state,
        value=0.5 if state is TrialState.COMPLETE else None,
        intermediate_values=dict(enumerate(values)),
        user_attrs={} if loss is None else {LOSSES: {str(len(values)): loss}},
    )
    made.number = made._trial_id = number
    return made


def going_on(trials: Sequence[FrozenTrial], halving: PausingHalving = HALVING, *, last: bool = False) -> int | None:
    found = halving.next(Tally(trials), last=last)
    return None if found is None else found.number


def test_rungs_end_after_the_shortest_and_then_after_three_times_as_many_epochs() -> None:
    assert [epochs for epochs in range(1, 40) if HALVING.ends_at(epochs)] == [2, 6, 18]


def test_one_of_three_goes_on_and_the_one_that_came_farthest_first() -> None:
    first = [trial(0, 0.1, 0.2), trial(1, 0.1, 0.4)]
    assert going_on(first) is None
    assert going_on([*first, trial(2, 0.1, 0.3)]) == 1
    ahead = [trial(number, *[0.5 + number / 10] * 6) for number in (3, 4, 5)]
    assert going_on([*first, trial(2, 0.1, 0.3), *ahead]) == 5


def test_a_trial_that_went_on_keeps_its_place_so_a_third_is_never_exceeded() -> None:
    running = trial(1, *[0.4] * 3, state=TrialState.RUNNING)
    assert going_on([trial(0, 0.1, 0.2), running, trial(2, 0.1, 0.3)]) is None
    three_more = [trial(number, 0.0, 0.1) for number in (3, 4, 5)]
    assert going_on([trial(0, 0.1, 0.2), running, trial(2, 0.1, 0.3), *three_more]) == 2


def test_the_best_epoch_up_to_the_rung_counts_and_nothing_after_it() -> None:
    late = trial(0, 0.1, 0.1, 0.9, 0.9, 0.9, state=TrialState.RUNNING)
    assert going_on([late, trial(1, 0.5, 0.3), trial(2, 0.4, 0.4)]) == 1


def test_between_equal_trials_the_loss_decides() -> None:
    assert going_on([trial(0, 0, 0, loss=11.2), trial(1, 0, 0, loss=10.9), trial(2, 0, 0)]) == 1


def test_where_less_is_better_the_least_goes_on_and_no_number_is_the_worst() -> None:
    halving = PausingHalving(LEAST, **RUNGS)
    assert going_on([trial(0, 3, math.nan), trial(1, 2, 2.5), trial(2, math.nan, math.nan)], halving) == 1


def test_failed_and_lost_trials_take_no_place() -> None:
    failed = [trial(number, 0.9, 0.9, state=TrialState.FAIL) for number in (1, 2)]
    assert going_on([trial(0, 0.1, 0.2), *failed]) is None


def test_at_the_end_as_many_go_on_as_there_are_finalists() -> None:
    ended = trial(0, *[0.9] * 20, state=TrialState.COMPLETE)
    waiting = [ended, trial(1, *[0.6] * 6), trial(2, *[0.5] * 6)]
    one, two = (PausingHalving(BEST, **RUNGS, finalists=finalists) for finalists in (1, 2))
    assert going_on(waiting, one, last=True) is None
    assert going_on(waiting, two, last=False) is None
    assert going_on(waiting, two, last=True) == 1
    assert going_on(waiting, PausingHalving(BEST, **RUNGS, finalists=2, n_trials=3)) == 1
    assert going_on(waiting, PausingHalving(BEST, **RUNGS, finalists=2, n_trials=4)) is None
    queued = trial(3)
    assert going_on([*waiting, queued], PausingHalving(BEST, **RUNGS, finalists=2, n_trials=4)) is None


@pytest.mark.parametrize(("n_trials", "epochs"), [(27, 27 * 2 + 9 * 4 + 3 * 12 + 1 * 2), (2, 20 + 2), (1, 20)])
def test_the_epochs_of_a_whole_search(n_trials: int, epochs: int) -> None:
    assert HALVING.epochs_of(n_trials) == epochs


class Storage(KeepsPaused, InMemoryStorage):
    pass


def test_optuna_keeps_a_paused_trial_in_its_queue_and_goes_on_with_it() -> None:
    storage = Storage()
    storage.pauses = True
    study = optuna.create_study(
        storage=storage, direction="maximize", pruner=PausingHalving(BEST, shortest=1, reduction=2, epochs=4)
    )

    def objective(trial: optuna.Trial) -> float:
        x = trial.suggest_float("x", 0, 1)
        for epoch in range(len(trial.storage.get_trial(trial._trial_id).intermediate_values), 4):
            trial.report(x, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned
        return x

    for x in (0.9, 0.1):
        study.enqueue_trial({"x": x})
    study.optimize(objective, n_trials=2)
    paused = study.get_trials(deepcopy=False)
    assert [is_paused(one) for one in paused] == [True, True]
    storage.goes_on = paused[0]._trial_id
    study.optimize(objective, n_trials=1)  # it comes to its second pause
    study.optimize(objective, n_trials=1)
    first, second = study.get_trials(deepcopy=False)
    assert (first.state, first.value, sorted(first.intermediate_values)) == (TrialState.COMPLETE, 0.9, [0, 1, 2, 3])
    assert is_paused(second)
    storage.goes_on = None
    study.optimize(objective, n_trials=1)  # a new one: no paused trial leaves the queue by itself
    assert len(study.get_trials(deepcopy=False)) == 3
    storage.give_up(second)
    assert (study.get_trials()[1].state, study.get_trials()[1].value) == (TrialState.PRUNED, 0.1)

"""Sweeps of real processes whose trials pause and go on."""

import os
import signal

from optuna.trial import FrozenTrial, TrialState

from captcha_exp.sweep.tally import Tally, TrialOutcome, epochs_run
from tests.sweep.conftest import Sweep, eventually
from tests.sweep.test_survival import kill_all

NINE = ("sweep.n_trials=9", "training.epochs=9", "sweep.pruner.kind=asha", "sweep.pruner.n_warmup_epochs=1")
ONE = "sweep.workers=1"
DROPOUT = "transformer.dropout"


def by_quality(tally: Tally) -> list[FrozenTrial]:
    """The trials, the best first; what they learn depends on nothing else."""
    return sorted(tally.trials, key=lambda trial: abs(trial.params[DROPOUT] - 0.3))


def assert_halved(tally: Tally, finished: int) -> None:
    """Each trial ended after one, three or all epochs, and those that ran longer are better."""
    assert all(trial.state in (TrialState.COMPLETE, TrialState.PRUNED) for trial in tally.trials)
    ranked = [epochs_run(trial) for trial in by_quality(tally)]
    assert ranked[0] == 9 and set(ranked) <= {1, 3, 9}
    assert ranked.count(9) >= finished and ranked.count(1) >= 3
    for trial in tally.trials:
        assert sorted(trial.intermediate_values) == list(range(epochs_run(trial)))
        assert (trial.state is TrialState.COMPLETE) == (epochs_run(trial) == 9)


def test_only_the_best_go_on_and_the_others_end_as_pruned(sweep: Sweep) -> None:
    code, printed = sweep.run(*NINE, ONE, EPOCH_S="0.4")  # longer than two looks of the supervisor are apart
    assert code == 0, printed
    tally = sweep.tally()
    assert len(tally.trials) == 9
    assert_halved(tally, finished=1)
    assert sum(map(epochs_run, tally.trials)) < 9 * 9 / 2
    assert "paused after epoch 1/9" in printed and "goes on: transformer.dropout=" in printed
    assert f"best: trial {by_quality(tally)[0].number}," in printed


def test_one_worker_gives_the_same_trials_again(sweep: Sweep, tmp_path_factory) -> None:
    """Also with pauses, with trials that the user names, and with what an earlier sweep knows."""
    other = Sweep(tmp_path_factory.mktemp("other"))
    assert sweep.run(*NINE, ONE)[0] == other.run(*NINE, ONE)[0] == 0
    first, second = ([(t.params, t.intermediate_values) for t in one.tally().trials] for one in (sweep, other))
    assert first == second
    named = f"sweep.first=[{{}}, {{{DROPOUT}: 0.2}}]"
    warm = (*NINE, ONE, "sweep.name=u", "sweep.warm_start=[t]", "sweep.sampler.n_startup_trials=2", named)
    assert sweep.run(*warm)[0] == other.run(*warm)[0] == 0
    first, second = ([(t.params, t.intermediate_values) for t in one.tally("u").trials] for one in (sweep, other))
    assert first == second and first[1][0] == {DROPOUT: 0.2}


def test_two_workers_send_two_to_the_end(sweep: Sweep) -> None:
    code, printed = sweep.run(*NINE)
    assert code == 0, printed
    assert len(sweep.tally().trials) == 9
    assert_halved(sweep.tally(), finished=2)


def test_after_killing_everything_paused_trials_are_still_paused_and_go_on(sweep: Sweep) -> None:
    process = sweep.start(*NINE, EPOCH_S="0.3")
    sweep.wait_for_begun()
    eventually(lambda: True if sweep.outcomes().get("paused", 0) >= 3 else None)
    kill_all(process)
    before = {
        t.number: t.intermediate_values for t in sweep.tally().trials if sweep.tally().outcome(t).name == "paused"
    }
    assert len(before) >= 2
    code, printed = sweep.run(*NINE)
    assert code == 0, printed
    tally = sweep.tally()
    assert len(tally.ended) == 9 and not tally.running
    after = {trial.number: trial for trial in tally.trials}
    assert all(values.items() <= after[number].intermediate_values.items() for number, values in before.items())
    assert {tally.outcome(trial).name for trial in tally.trials} <= {"finished", "pruned", "lost"}


def test_a_killed_worker_loses_the_trial_that_went_on_and_another_repeats_it(sweep: Sweep) -> None:
    process = sweep.start(*NINE, ONE, EPOCH_S="0.5")
    sweep.wait_for_begun()
    running = eventually(lambda: next(iter(resumed(sweep)), None), 60)
    os.kill(running.user_attrs["process"]["pid"], signal.SIGKILL)
    assert process.wait(240) == 0, sweep.printed()
    tally = sweep.tally()
    assert len(tally.ended) == 9 and sweep.outcomes()["lost"] == 1
    [again] = [t for t in tally.trials if t.system_attrs.get("retry_history") == [running.number]]
    assert again.params == running.params and again.state is not TrialState.WAITING


def resumed(sweep: Sweep) -> list[FrozenTrial]:
    """Running trials that paused once, and have some epochs before them."""
    return [t for t in sweep.tally().running if "spans" in t.user_attrs and epochs_run(t) >= 4]


def test_the_time_in_which_a_trial_paused_is_not_counted(sweep: Sweep) -> None:
    assert sweep.run(*NINE, ONE, EPOCH_S="0.05")[0] == 0
    rows = (sweep.folder / "sweeps" / "t" / "trials.csv").read_text().splitlines()
    place = rows[0].split(",").index("seconds")
    seconds = [float(row.split(",")[place]) for row in rows[1:]]
    trials = sweep.tally().trials
    whole = max(t.datetime_complete for t in trials) - min(t.datetime_start for t in trials)
    assert 0.05 * 9 <= sum(seconds) <= whole.total_seconds() + 60
    first = trials[0]
    assert seconds[0] < (max(t.datetime_complete for t in trials) - first.datetime_start).total_seconds() + 0.5 * 9


def test_more_trials_later_begin_beside_those_that_were_given_up(sweep: Sweep) -> None:
    assert sweep.run(*NINE, ONE)[0] == 0
    code, printed = sweep.run(*NINE[1:], "sweep.n_trials=12", ONE)
    assert code == 0, printed
    assert len(sweep.tally().ended) == 12 and not sweep.tally().running


def test_the_first_of_several_objectives_may_let_trials_pause(sweep: Sweep) -> None:
    both = (
        "sweep.objectives=[{metric:best/val/sequence_accuracy,direction:maximize},"
        "{metric:latency_ms,direction:minimize}]"
    )
    code, printed = sweep.run(*NINE, ONE, both, "sweep.pruner.first_objective=true")
    assert code == 0, printed
    assert_halved(sweep.tally(), finished=1)


def test_a_grid_is_tried_once_although_its_trials_pause(sweep: Sweep) -> None:
    space = f"{DROPOUT}=choice(0.0,0.05,0.1,0.15,0.2,0.25,0.3,0.35,0.4)"
    code, printed = sweep.run(*NINE, "sweep.sampler.kind=grid", space=space)
    assert code == 0, printed
    assert len({trial.params[DROPOUT] for trial in sweep.tally().trials}) == len(sweep.tally().trials) == 9
    assert_halved(sweep.tally(), finished=2)


def test_a_sampler_that_has_tried_everything_lets_paused_trials_go_on(sweep: Sweep) -> None:
    brute = ("sweep.sampler.kind=optuna.samplers:BruteForceSampler", "sweep.n_trials=20", *NINE[1:])
    code, printed = sweep.run(*brute, ONE, space=f"{DROPOUT}=choice(0.0,0.1,0.2,0.3)")
    assert code == 0, printed
    assert "has tried everything." in printed
    assert len(sweep.tally().trials) == 4 and sweep.outcomes().get("finished")


def test_a_sweep_that_ends_while_all_trials_are_paused_says_how_to_go_on(sweep: Sweep) -> None:
    many = ("sweep.n_trials=60", *NINE[1:], ONE)
    process = sweep.start(*many, EPOCH_S="0.2")
    eventually(lambda: True if sweep.printed().count(" paused after ") >= 2 else None, 100)
    process.terminate()
    process.wait(240)
    code, printed = sweep.run(*many, "sweep.minutes=0.001", EPOCH_S="5")  # no trial ends so soon
    assert code == 1 and "sweep.minutes=0.001 are over" in printed
    tally = sweep.tally()
    best = max(tally.of(TrialOutcome.paused), key=lambda trial: max(trial.intermediate_values.values()))
    done, value = epochs_run(best), best.intermediate_values[best.last_step]
    assert f"best so far, paused at epoch {done} of 9: trial {best.number}, {value:.4f}: {DROPOUT}=" in printed
    told = printed.splitlines()[-1]
    assert told.startswith("No trial has run all its epochs yet, so there is no best.yaml. Go on with it: python ")
    assert not (sweep.folder / "sweeps/t/best.yaml").exists()
    paused = sweep.outcomes()["paused"]
    code, printed = sweep.run("sweep.n_trials=9", *NINE[1:], ONE)
    assert code == 0, printed
    assert sweep.outcomes().get("paused") is None and paused > 0

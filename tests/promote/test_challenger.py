"""The challenger is chosen by validation alone."""

import pytest

from captcha_exp.config import ChallengerConfig
from captcha_exp.errors import InputError
from captcha_exp.promote.challenger import choose
from captcha_exp.tracking import Store, SweepRun


def add_trial(store: Store, parent: str, name: str, accuracy: float, loss: float, test: float = 0.0) -> str:
    with store.start_run(name, {"sweep": "s"}, parent) as run:
        run.log_metrics({"best/val/sequence_accuracy": accuracy, "best/val/ctc_loss": loss})
        run.log_metrics({"test/sequence_accuracy": test})
    return run.run_id


def test_the_best_trial_by_validation_is_chosen_whatever_the_test_says(store: Store) -> None:
    parent = SweepRun.start_or_resume(store, "s", "key", {}).run_id
    add_trial(store, parent, "trial-0000", 0.9, 0.1, test=1.0)
    best = add_trial(store, parent, "trial-0001", 0.95, 0.3)
    add_trial(store, parent, "trial-0002", 0.95, 0.4, test=1.0)
    with store.start_run("trial-0003", {"sweep": "s"}, parent) as pruned:
        pruned.log_metrics({"best/val/sequence_accuracy": 0.99, "best/val/ctc_loss": 0.0})
        pruned.set_outcome("pruned")
    chosen = choose(store, ChallengerConfig(sweep="s", run=None))
    assert (chosen.run_id, chosen.sweep) == (best, "s")
    assert chosen.reason == (
        "trial-0001, the best of 3 finished trials of sweep s: validation sequence accuracy 0.9500, loss 0.3000"
    )


def test_the_first_objective_of_the_sweep_chooses_and_its_number_decides_between_equals(store: Store) -> None:
    parent = SweepRun.start_or_resume(store, "s", "key", {"objective": "minimize best/val/ctc_loss"}).run_id
    for number, (accuracy, loss) in enumerate([(0.9, 0.3), (0.8, 0.2), (0.8, 0.2)]):
        with store.start_run(f"trial-{number:04d}", {"sweep": "s", "trial": str(9 - number)}, parent) as run:
            run.log_metrics({"best/val/sequence_accuracy": accuracy, "best/val/ctc_loss": loss})
    chosen = choose(store, ChallengerConfig(sweep="s", run=None))
    assert chosen.reason.startswith("trial-0002, the best of 3 finished trials of sweep s by best/val/ctc_loss: ")


def test_a_trial_beyond_the_limits_of_its_sweep_is_not_chosen(store: Store) -> None:
    tags = {"constraints": '{"model/parameters": "<= 500"}'}
    parent = SweepRun.start_or_resume(store, "s", "key", tags).run_id
    for number, (accuracy, size) in enumerate([(0.9, 501), (0.8, 500)]):
        with store.start_run(f"trial-{number:04d}", {"sweep": "s", "trial": str(number)}, parent) as run:
            run.log_metrics(
                {"best/val/sequence_accuracy": accuracy, "best/val/ctc_loss": 0.1, "model/parameters": size}
            )
    assert choose(store, ChallengerConfig(sweep="s", run=None)).reason.startswith("trial-0001, the best of 1 finished")


def test_of_two_sweeps_of_one_name_the_last_counts(store: Store) -> None:
    for key, accuracy in (("first", 0.9), ("second", 0.5)):
        parent = SweepRun.start_or_resume(store, "s", key, {}).run_id
        last = add_trial(store, parent, "trial-0000", accuracy, 0.1)
    assert choose(store, ChallengerConfig(sweep="s", run=None)).run_id == last


def test_a_run_of_its_own_can_be_chosen(store: Store) -> None:
    run_id = add_trial(store, store.start_run("x", {}).run_id, "mine", 0.9, 0.1)
    assert choose(store, ChallengerConfig(sweep=None, run=run_id)).run_id == run_id


def test_what_is_not_there_or_not_finished_is_refused(store: Store) -> None:
    with pytest.raises(InputError, match=r"^sweep=s is not in the experiment .*; there is none\.$"):
        choose(store, ChallengerConfig(sweep="s", run=None))
    SweepRun.start_or_resume(store, "s", "key", {})
    with pytest.raises(InputError, match="sweep=s has no finished trial yet"):
        choose(store, ChallengerConfig(sweep="s", run=None))
    with pytest.raises(InputError, match=r"^sweep=t is not in the experiment .*; there are s\.$"):
        choose(store, ChallengerConfig(sweep="t", run=None))
    with pytest.raises(InputError, match="run=0123 is not in the experiment"):
        choose(store, ChallengerConfig(sweep=None, run="0123"))
    with pytest.raises(InputError, match="is no finished training"):
        choose(store, ChallengerConfig(sweep=None, run=store.start_run("x", {}).run_id))

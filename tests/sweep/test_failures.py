"""A sweep with failed trials says so in its last line and in its exit code."""

from tests.sweep.conftest import Sweep

FEW = ["sweep.n_trials=3", "sweep.workers=1", "sweep.sampler.kind=grid"]
SPACE = "transformer.dropout=0.1,0.2,0.3"


def test_a_failed_trial_is_told_at_the_end(sweep: Sweep) -> None:
    """The exit code was 0, and the last line said where the results are."""
    code, printed = sweep.run(*FEW, space=SPACE, RAISE_BELOW="0.15")
    assert code == 3, printed
    failed = next(trial for trial in sweep.tally().trials if trial.params["transformer.dropout"] == 0.1)
    reason = f"the loss of epoch 1 of trial-{failed.number:04d} is too large"
    assert printed.splitlines()[-1] == f"1 of 3 trials failed; trial {failed.number}: ArithmeticError: {reason}."


def test_a_trial_that_diverged_is_told_but_is_a_result(sweep: Sweep) -> None:
    code, printed = sweep.run(*FEW, space=SPACE, NAN_BELOW="0.15")
    assert code == 0, printed
    assert printed.splitlines()[-1].startswith("1 of 3 trials failed; trial ")
    assert printed.splitlines()[-1].endswith("best/val/sequence_accuracy is not a number.")


def test_without_failed_trials_the_exit_code_is_0(sweep: Sweep) -> None:
    code, printed = sweep.run(*FEW, space=SPACE)
    assert code == 0, printed
    assert "trials failed" not in printed

"""Trials that run where a Hydra launcher puts them: in a process of its own, or in a job of a cluster's queue."""

import pytest

from tests.sweep.conftest import Sweep

EVERY = "transformer.dropout=choice(0.05,0.3,0.35)"


@pytest.fixture(autouse=True)
def cold(sweep: Sweep) -> None:
    """Launchers start processes in ways of their own."""
    sweep.cold = True


@pytest.mark.parametrize("launcher", ["joblib", "submitit_local"])
def test_a_launcher_decides_where_a_trial_runs(sweep: Sweep, launcher: str) -> None:
    pytest.importorskip(f"hydra_plugins.hydra_{launcher.partition('_')[0]}_launcher")
    grid = ["sweep.sampler.kind=grid", "sweep.workers=1", f"hydra/launcher={launcher}"]
    code, printed = sweep.run(*grid, space=EVERY, RAISE_BELOW="0.1")
    assert code == 3, printed
    assert sweep.outcomes() == {"failed": 1, "finished": 2}
    tally = sweep.tally()
    reasons = {tally.reason(trial) for trial in tally.trials} - {None}
    assert [reason.partition(" of trial")[0] for reason in reasons] == ["ArithmeticError: the loss of epoch 1"]
    workers = {trial.user_attrs["process"]["pid"] for trial in tally.trials}
    assert len(workers) == 1
    assert not workers & set(sweep.wait_for_begun(3)), "no trial ran in the worker"

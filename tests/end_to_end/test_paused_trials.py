"""Trials of the real command that pause, and go on from their checkpoints."""

import csv

import pytest
from mlflow.entities import Run
from optuna.trial import TrialState

pytestmark = pytest.mark.usefixtures("database_made_before")

# The first trial learns, the others hardly. So it pauses, because it is alone, and goes on.
FIRST = "sweep.first=[{},{optimizer.learning_rate: 1e-6},{optimizer.learning_rate: 2e-6}]"
SPACE = "optimizer.learning_rate=interval(1e-6,0.01)"
SWEEP = [
    *("+sweep=smoke", "sweep.n_trials=3", "sweep.workers=1", "training.epochs=5", "sweep.pruner.n_warmup_epochs=1"),
    *(FIRST, SPACE),
]
LOSS = "val/ctc_loss"


def history(folder, run: Run) -> list[tuple[int, float]]:
    """Every point of the validation loss in the store: epoch, value."""
    return sorted((point.step, point.value) for point in folder.client().get_metric_history(run.info.run_id, LOSS))


def test_a_trial_that_paused_ends_with_the_metrics_of_a_training_that_did_not(folder) -> None:
    done = folder.run(*folder.tiny, *SWEEP)
    assert done.returncode == 0, done.stderr
    assert "paused after epoch 1/5" in done.stdout and "trial 0 goes on: " in done.stdout
    trials = folder.study("smoke").get_trials()
    assert [trial.state for trial in trials] == [TrialState.COMPLETE, TrialState.PRUNED, TrialState.PRUNED]
    best = trials[0]

    runs = {run.info.run_id: run for run in folder.runs() if "trial" in run.data.tags}
    assert sorted(run.data.tags["trial"] for run in runs.values()) == ["0", "1", "2"], "one run for each trial"
    assert sorted(run.info.status for run in runs.values()) == ["FINISHED", "KILLED", "KILLED"]
    paused = runs[best.user_attrs["run_id"]]
    assert paused.data.tags["outcome"] == "finished" and "reason" not in paused.data.tags
    given_up = [run.data.tags for run in runs.values() if run.data.tags["outcome"] == "pruned"]
    assert [tags["reason"] for tags in given_up] == ["paused after epoch 1"] * 2
    assert [epoch for epoch, _ in history(folder, paused)] == [1, 2, 3, 4, 5], "each epoch once"

    again = folder.run("--config-dir", "sweeps/smoke", "--config-name", "best")
    assert again.returncode == 0, again.stderr
    assert history(folder, folder.runs()[-1]) == history(folder, paused)

    assert not [path for path in folder.path.glob("outputs/checkpoints/*") if path.is_dir()]
    rows = list(csv.DictReader((folder.path / "sweeps/smoke/trials.csv").read_text().splitlines()))
    assert sorted(row["epochs"] for row in rows) == ["1", "1", "5"]


def test_without_its_checkpoint_a_paused_trial_runs_its_epochs_again(folder) -> None:
    """As on another machine that shares no disk with the one where it paused."""
    process = folder.start_warm(*folder.tiny, *SWEEP)
    folder.wait_until(lambda: "paused after epoch" in logged(folder), "a pause")
    folder.kill(process.pid)
    process.wait()
    for path in folder.path.glob("outputs/checkpoints/*/training.npz"):
        path.unlink()
    done = folder.run(*folder.tiny, *SWEEP)
    assert done.returncode == 0, done.stderr
    [best] = folder.study("smoke").get_trials(states=(TrialState.COMPLETE,))
    assert sorted(best.intermediate_values) == [0, 1, 2, 3, 4]
    [run] = [run for run in folder.runs() if run.info.run_id == best.user_attrs["run_id"]]
    assert [epoch for epoch, _ in history(folder, run)] == [1, 2, 3, 4, 5], "each epoch once"


def logged(folder) -> str:
    """What the tracked runs say about trials that stopped."""
    return " ".join(run.data.tags.get("reason", "") for run in folder.runs())

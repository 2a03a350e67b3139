"""Sweeps of the real command: killed, interrupted, diverging, shared; nothing finished is lost.

`tests/sweep/` puts the same supervisor and workers through more of this, with trials that take no time to train.
"""

import csv
import signal
from collections import Counter
from pathlib import Path

import pytest
from optuna.trial import FrozenTrial, TrialState

from tests.end_to_end.conftest import Process

pytestmark = pytest.mark.usefixtures("database_made_before")

N_TRIALS = 3
SWEEP = [
    *("+sweep=smoke", f"sweep.n_trials={N_TRIALS}", "sweep.workers=2", "sweep.heartbeat_s=1", "training.epochs=4"),
    "sweep.pruner.kind=none",  # test_paused_trials.py has sweeps whose trials pause
]


def sweep(folder, *more: str) -> list[str]:
    return [*folder.tiny, *SWEEP, *more]


def ended(folder) -> list[FrozenTrial]:
    """Trials that ended by themselves, as against those lost with their worker."""
    states = (TrialState.COMPLETE, TrialState.PRUNED)
    failed = [t for t in folder.study("smoke").get_trials(states=(TrialState.FAIL,)) if "reason" in t.user_attrs]
    return [*folder.study("smoke").get_trials(states=states), *failed]


def running(folder) -> list[FrozenTrial]:
    """Trials that are past their first epoch."""
    trials = folder.study("smoke").get_trials(states=(TrialState.RUNNING,))
    return [trial for trial in trials if trial.intermediate_values]


def assert_whole(folder, total: int = N_TRIALS) -> None:
    """The sweep ended with its total, its files and one MLflow child for each trial."""
    assert len(ended(folder)) == total
    assert not folder.study("smoke").get_trials(states=(TrialState.RUNNING, TrialState.WAITING))
    sweep_dir = folder.path / "sweeps" / "smoke"
    assert {"study.db", "trials.csv", "best.yaml", "report"} <= {path.name for path in sweep_dir.iterdir()}
    rows = list(csv.DictReader((sweep_dir / "trials.csv").read_text().splitlines()))
    assert len(rows) == len(folder.study("smoke").trials)
    parents = [run for run in folder.runs() if "mlflow.parentRunId" not in run.data.tags]
    assert len(parents) == 1 and parents[0].info.status == "FINISHED"
    children = [run for run in folder.runs() if "mlflow.parentRunId" in run.data.tags]
    assert {run.data.tags["mlflow.parentRunId"] for run in children} == {parents[0].info.run_id}
    assert not [run for run in children if run.info.status == "RUNNING"]
    told = {run.info.run_id: run.data.tags.get("outcome") for run in children}
    assert all(
        told[trial.user_attrs["run_id"]] in {"finished", "pruned"}
        for trial in folder.study("smoke").trials
        if trial.values
    )


def assert_gone(folder, supervisor: Process, workers: list[int]) -> None:
    """Neither the supervisor nor a worker is alive."""
    assert supervisor.poll() is not None
    folder.wait_until(
        lambda: not any(Path(f"/proc/{pid}/cmdline").exists() for pid in workers), "the end of the workers", 20
    )


def test_a_sweep_and_its_best_configuration_train_from_one_command_each(folder) -> None:
    command = sweep(folder, "sweep.n_trials=2", "sweep.workers=1")
    done = folder.run(*command)
    assert done.returncode == 0, done.stderr
    assert_whole(folder, 2)
    assert "sweeps/smoke/trials.csv, best.yaml" in done.stdout
    again = folder.run(*command)
    assert again.returncode == 0, again.stderr
    assert len(folder.study("smoke").trials) == 2, "a finished sweep typed again runs nothing"
    best = folder.run("--config-dir", "sweeps/smoke", "--config-name", "best")
    assert best.returncode == 0, best.stderr
    assert folder.runs()[-1].data.metrics["best/val/sequence_accuracy"] == folder.study("smoke").best_value


def test_two_supervisors_share_one_total_and_a_killed_worker_is_replaced(folder) -> None:
    both = [folder.start(*sweep(folder, "sweep.workers=1")) for _ in range(2)]
    folder.wait_until(lambda: running(folder), "a trial in the middle")
    trial = running(folder)[0]
    folder.kill(trial.user_attrs["process"]["pid"])
    told = ""
    for supervisor in both:
        out, err = supervisor.communicate(timeout=400)
        assert supervisor.returncode == 0, err
        told += out
    assert told.count("killed by SIGKILL); another takes its place") == 1
    assert_whole(folder)
    (retried,) = [other for other in ended(folder) if other.system_attrs.get("retry_history") == [trial.number]]
    assert retried.params == trial.params


def test_neither_ctrl_c_nor_killing_everything_loses_a_finished_trial(folder) -> None:
    command = sweep(folder, "sweep.workers=1")
    supervisor = folder.start_warm(*command)
    folder.wait_until(lambda: running(folder), "a trial in the middle")
    workers = folder.sweep_processes(supervisor)
    folder.kill(supervisor.pid, signal.SIGINT)
    out, err = supervisor.communicate(timeout=60)
    assert supervisor.returncode == 130, err
    assert "Traceback" not in out + err
    assert_gone(folder, supervisor, workers)
    assert not folder.study("smoke").get_trials(states=(TrialState.RUNNING,))

    supervisor = folder.start_warm(*command)
    folder.wait_until(lambda: ended(folder) and running(folder), "a finished trial and one in the middle")
    workers = folder.sweep_processes(supervisor)
    for pid in [supervisor.pid, *workers]:
        folder.kill(pid)
    supervisor.wait()
    assert_gone(folder, supervisor, workers)
    before = {trial.number: trial.values for trial in ended(folder)}

    done = folder.run(*command)
    assert done.returncode == 0, done.stderr
    assert_whole(folder)
    after = {trial.number: trial.values for trial in ended(folder)}
    assert before.items() <= after.items()


def test_diverging_trials_are_recorded_and_the_sweep_goes_on(folder) -> None:
    fixed = ["transformer.num_heads=1", "transformer.projection_dim=16", "transformer.dropout=0"]
    diverging = ["optimizer.learning_rate=0.001,1e30", "optimizer.clip_norm=null", "sweep.sampler.kind=grid"]
    done = folder.run(*sweep(folder, "sweep.workers=1", *fixed, *diverging))
    assert done.returncode == 0, done.stderr
    states = Counter(trial.state for trial in folder.study("smoke").trials)
    assert states == {TrialState.COMPLETE: 1, TrialState.FAIL: 1}
    (failed,) = folder.study("smoke").get_trials(states=(TrialState.FAIL,))
    assert "loss" in failed.user_attrs["reason"]
    (child,) = [run for run in folder.runs() if run.data.tags.get("outcome") == "failed"]
    assert child.info.status == "FAILED"


def test_ctrl_c_of_a_single_run_tells_how_to_continue(folder) -> None:
    child = folder.start_warm(*folder.tiny, "training.epochs=400")
    folder.wait_until(lambda: list(folder.path.glob("outputs/checkpoints/*/training.npz")), "an epoch")
    folder.kill(child.pid, signal.SIGINT)
    _, err = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "the same command continues" in err and "Traceback" not in err
    assert folder.runs()[-1].info.status == "KILLED"

"""What a sweep of real processes does about trials that fail, are pruned, or are too many."""

import csv
import importlib.util
import shutil
import sqlite3
from pathlib import Path

import optuna
import pytest
from hydra import compose, initialize_config_dir

from captcha_exp.config import load_config
from tests.sweep.conftest import SPACE, Sweep

ONE = "sweep.workers=1"  # where it does not matter how many there are, one more would only start for two seconds


@pytest.fixture(scope="module")
def finished_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a sweep of a single trial leaves."""
    made = Sweep(tmp_path_factory.mktemp("made"))
    assert made.run("sweep.n_trials=1")[0] == 0, made.printed()
    return made.folder / "sweeps"


@pytest.fixture
def resumed(sweep: Sweep, finished_once: Path) -> Sweep:
    """A sweep that ended after its only trial, in the test's own folder."""
    shutil.copytree(finished_once, sweep.folder / "sweeps")
    return sweep


def trials_csv(sweep: Sweep) -> list[dict[str, str]]:
    with (sweep.folder / "sweeps/t/trials.csv").open() as file:
        return list(csv.DictReader(file))


def test_three_workers_end_with_the_exact_total_and_everything_written(sweep: Sweep) -> None:
    sweep.cold = True  # as a user starts it; here and where it matters
    code, printed = sweep.run("sweep.n_trials=7", "sweep.workers=3", REPORT="1")
    assert code == 0, printed
    assert sweep.outcomes() == {"finished": 7}
    rows = trials_csv(sweep)
    assert [row["number"] for row in rows] == [str(number) for number in range(7)]
    assert all(row["state"] == "finished" and row["epochs"] == "4" for row in rows)
    best = max(rows, key=lambda row: float(row["best/val/sequence_accuracy"]))
    assert f"best: trial {best['number']}," in printed
    assert "train it again: python -m captcha_exp --config-dir " in printed and "--config-name best" in printed
    page = (sweep.folder / "sweeps/t/report/report.html").read_text()
    assert f"watch it:       {(sweep.folder / 'sweeps/t/report/report.html').as_uri()}" in printed
    assert 'http-equiv="refresh"' not in page
    for heading in ("Each trial", "What it depends on", "Where the good ones lie"):
        assert f">{heading}<" in page
    with initialize_config_dir(str(sweep.folder / "sweeps/t"), version_base="1.3"):
        again = load_config(compose("best"))
    assert again.transformer.dropout == float(best["transformer.dropout"])
    assert again.sweep.name is None


def test_a_complete_sweep_typed_again_only_tells_its_results(resumed: Sweep) -> None:
    code, printed = resumed.run("sweep.n_trials=1")
    assert code == 0
    assert "1 trials, 1 of them ended before" in printed
    assert "best: trial 0," in printed
    assert not list(resumed.begun.iterdir())


def test_trials_that_raise_or_end_with_nan_are_recorded_and_the_sweep_goes_on(sweep: Sweep) -> None:
    every = "transformer.dropout=choice(0.05,0.15,0.3,0.35)"
    code, printed = sweep.run("sweep.sampler.kind=grid", ONE, space=every, RAISE_BELOW="0.1", NAN_BELOW="0.2")
    assert code == 3, printed
    told = {row["transformer.dropout"]: row for row in trials_csv(sweep)}
    assert {dropout: row["state"] for dropout, row in told.items()} == {
        "0.05": "failed", "0.15": "failed", "0.3": "finished", "0.35": "finished",
    }  # fmt: skip
    raised = f"ArithmeticError: the loss of epoch 1 of trial-{int(told['0.05']['number']):04d} is too large"
    assert told["0.05"]["reason"] == raised
    assert told["0.15"]["reason"] == "best/val/sequence_accuracy is not a number"


def test_a_trial_that_hangs_is_ended_and_recorded(sweep: Sweep) -> None:
    given = (
        "sweep.n_trials=3",
        "sweep.workers=1",
        "sweep.trial_minutes=0.1",
        "sweep.first=[{transformer.dropout: 0.05}]",
    )
    code, printed = sweep.run(*given, HANG_BELOW="0.051")
    assert code == 0, printed
    assert sweep.outcomes() == {"failed": 1, "finished": 2}
    first = trials_csv(sweep)[0]
    assert (first["state"], first["reason"]) == ("failed", "it took longer than sweep.trial_minutes=0.1")
    assert "ended (its trial took too long); another takes its place" in printed


def test_a_sweep_whose_trials_are_all_pruned_says_so(sweep: Sweep) -> None:
    code, printed = sweep.run("sweep.n_trials=3", ONE, PRUNE_ALL="1")
    assert code == 1
    assert "sweep t ended: 3 pruned." in printed
    assert "No trial finished, so there is no best configuration." in printed
    assert "Traceback" not in printed
    assert not (sweep.folder / "sweeps/t/best.yaml").exists()
    assert {row["state"] for row in trials_csv(sweep)} == {"pruned"}


def test_first_trials_that_all_fail_alike_stop_the_sweep(sweep: Sweep) -> None:
    code, printed = sweep.run("sweep.n_trials=30", "sweep.stop_after_failures=3", RAISE_BELOW="1")
    assert code == 1
    assert "error: sweep t stopped: the first 3 trials all failed in the same way: ArithmeticError" in printed
    assert "Traceback" not in printed
    assert 3 <= sweep.outcomes()["failed"] <= 4
    # What was wrong is repaired: the same command goes on.
    assert sweep.run("sweep.n_trials=5")[0] == 3, "there is a best trial now, and still there are failed ones"
    assert sum(count for name, count in sweep.outcomes().items() if name != "lost") == 5


@pytest.mark.parametrize(
    ("changed", "space", "message"),
    [
        (
            "cnn=compact",
            "transformer.dropout=interval(0,0.3)",
            "transformer.dropout was searched in numbers 0.0 to 0.4",
        ),
        ("training.epochs=5", SPACE, "training.epochs was 4, is 5"),
        ("transformer.depth=1", SPACE, "transformer.depth was 2, is 1"),
    ],
)
def test_a_changed_search_is_refused(resumed: Sweep, changed: str, space: str, message: str) -> None:
    code, printed = resumed.run("sweep.n_trials=2", changed, space=space)
    assert code == 2
    assert printed.startswith(f"error: The study 't' was made for another search: {message}")
    assert "Choose another `sweep.name`, or remove " in printed
    assert len(printed.splitlines()) == 1
    assert resumed.outcomes() == {"finished": 1}


def test_what_only_steers_the_search_may_change(resumed: Sweep) -> None:
    steered = ["sweep.n_trials=2", "sweep.workers=1", "sweep.sampler.kind=random", "training.threads=1"]
    assert resumed.run(*steered)[0] == 0
    assert resumed.outcomes() == {"finished": 2}


def test_a_grid_ends_when_it_is_used_up(sweep: Sweep) -> None:
    code, printed = sweep.run(
        "sweep.sampler.kind=grid", ONE, "transformer.num_heads=1,2", space="transformer.dropout=choice(0.1,0.3)"
    )
    assert code == 0, printed
    points = {(row["transformer.dropout"], row["transformer.num_heads"]) for row in trials_csv(sweep)}
    assert sorted(points) == [("0.1", "1"), ("0.1", "2"), ("0.3", "1"), ("0.3", "2")]
    assert sweep.outcomes() == {"finished": 4}


def test_several_objectives_end_with_a_pareto_front(sweep: Sweep) -> None:
    objectives = (
        "sweep.objectives=[{metric:best/val/sequence_accuracy,direction:maximize},"
        "{metric:latency_ms,direction:minimize}]"
    )
    code, printed = sweep.run(objectives, ONE, "sweep.sampler.kind=nsga2", REPORT="1")
    assert code == 0, printed
    assert (
        printed.count("no trial is pruned, as there are several objectives; `sweep.pruner.first_objective=true`") == 1
    )
    page = (sweep.folder / "sweeps/t/report/report.html").read_text()
    assert "Pareto front" in page
    assert "report:         sweeps/t/report/report.html" in printed
    assert all(float(row["latency_ms"]) > 0 for row in trials_csv(sweep))


def test_an_objective_that_no_run_has_names_those_it_has(sweep: Sweep) -> None:
    objectives = "sweep.objectives=[{metric:latency,direction:minimize}]"
    code, printed = sweep.run(objectives, ONE, "sweep.pruner.kind=none", "sweep.stop_after_failures=1")
    assert code == 1
    assert "sweep.objectives names latency, but a run has only best/val/sequence_accuracy, latency_ms" in printed


def test_trials_are_pruned_and_the_best_is_not(sweep: Sweep) -> None:
    pruner = ["sweep.pruner.n_startup_trials=2", "sweep.pruner.n_warmup_epochs=1"]
    assert sweep.run("sweep.n_trials=10", "training.epochs=8", ONE, *pruner)[0] == 0
    rows = trials_csv(sweep)
    pruned = [row for row in rows if row["state"] == "pruned"]
    assert pruned
    assert all(2 <= int(row["epochs"]) <= 8 for row in pruned)
    best = max(rows, key=lambda row: -abs(float(row["transformer.dropout"]) - 0.3))
    assert best["state"] == "finished"


def test_the_first_of_several_objectives_prunes_where_the_user_says_so(sweep: Sweep) -> None:
    first = (
        "sweep.objectives=[{metric:best/val/sequence_accuracy,direction:maximize},"
        "{metric:latency_ms,direction:minimize}]",
        "sweep.pruner.first_objective=true",
    )
    pruner = ("sweep.pruner.n_startup_trials=2", "sweep.pruner.n_warmup_epochs=1", "sweep.sampler.n_startup_trials=3")
    code, printed = sweep.run("sweep.n_trials=6", "training.epochs=8", ONE, *first, *pruner)
    assert code == 0, printed
    assert "no trial is pruned" not in printed
    rows = trials_csv(sweep)
    pruned = [row for row in rows if row["state"] == "pruned"]
    assert pruned and all(row["latency_ms"] == "" and 2 <= int(row["epochs"]) <= 8 for row in pruned)
    finished = [row for row in rows if row["state"] == "finished"]
    assert len(finished) + len(pruned) == 6, "the sampler learns from pruned trials, too"
    best = max(rows, key=lambda row: -abs(float(row["transformer.dropout"]) - 0.3))
    assert best in finished


def refused(sweep: Sweep, *arguments: str) -> str:
    code, printed = sweep.run(*arguments)
    assert code == 2, printed
    assert len(printed.splitlines()) == 1
    return printed


def test_a_file_that_is_no_database_is_refused(sweep: Sweep) -> None:
    folder = sweep.folder / "sweeps/t"
    folder.mkdir(parents=True)
    (folder / "study.db").write_text("no database, but long enough to be read as one " * 40)
    assert "cannot be used (file is not a database)" in refused(sweep)


def test_a_study_of_an_incompatible_version_is_refused(resumed: Sweep) -> None:
    database = resumed.folder / "sweeps/t/study.db"
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'v0.9.0.a'")
    assert "was made by an incompatible version of Optuna" in refused(resumed)


def test_a_study_that_others_made_is_refused(sweep: Sweep) -> None:
    (sweep.folder / "sweeps/t").mkdir(parents=True)
    study = optuna.create_study(storage=sweep.storage, study_name="t", direction="maximize")
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=1)
    assert "The study 't' was not made by this version (format None, not 1)." in refused(sweep)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("sweep.storage=nonsense", "sweep.storage is 'nonsense', not a database URL"),
        ("sweep.storage='sqlite://'", "which workers cannot share; name a file"),
        ("sweep.storage='oracle://host/name'", "sweep.storage must be an sqlite, postgresql or mysql URL, not oracle"),
        ("sweep.storage='postgresql+psycopg://127.0.0.1:9/x'", "postgresql+psycopg://127.0.0.1:9/x cannot be used"),
        ("sweep.sampler.kind=grid", "sweep.sampler.kind=grid cannot search transformer.dropout"),
        ("sweep.name=null", "sweep.name is null; a sweep needs a name"),
        ("training.use_validation=true", "training.use_validation=true leaves no images to choose by"),
        ("transformer.num_heads=a,b", "transformer.num_heads must be a whole number, not 'a'"),
    ],
)
def test_a_mistake_is_told_in_one_line_before_any_trial(sweep: Sweep, argument: str, message: str) -> None:
    assert message in refused(sweep, argument)
    assert not list(Path(sweep.begun).iterdir())


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="PyTorch is installed")
def test_the_gaussian_process_sampler_says_what_it_needs(sweep: Sweep) -> None:
    told = refused(sweep, "sweep.sampler.kind=gp")
    assert "sweep.sampler.kind=gp needs PyTorch: pip install 'captcha-exp[gp]'" in told


def test_values_that_only_go_together_are_no_mistake(sweep: Sweep) -> None:
    # Neither number of heads divides the default projection of 96.
    together = "transformer.projection_dim=choice(40,80)"
    code, printed = sweep.run("sweep.n_trials=2", ONE, together, space="transformer.num_heads=choice(5,10)")
    assert code == 0, printed


def test_a_sweep_that_learnt_nothing_names_no_best_trial(sweep: Sweep) -> None:
    """It ended in "best: trial 0, 0.0000", as if that were a result."""
    code, printed = sweep.run("sweep.n_trials=1", ONE, UNREAD="1")
    assert code == 0, "a trial finished"
    assert "nothing was learnt: no trial reads a validation text right (after 4 epochs, 40 steps)." in printed
    assert "best: trial" not in printed

"""Compare a sweep with a plain loop: Optuna, Keras' `fit` and MLflow's autologging, one trial after another.

Run: python -m benchmarks.search.side_by_side [--root DIR] [--at-most N] [OVERRIDE ...]

Both search the space of `+sweep=attention` with the same data, networks and number of epochs. First the sweep runs to
its end. Then the loop runs in a process of its own, until a trial is as good as the sweep's best less half a point, or
until it has taken N times as long as the sweep. Times are by the clock, from the start of a process, so nothing else
should run.
"""

import argparse
import csv
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.inputs import composed

_SWEEP = "attention"
_NEAR = 0.005


def main() -> int:
    """Print a line for each, and how many times longer the loop took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("overrides", nargs="*")
    parser.add_argument("--root", type=Path)
    parser.add_argument("--at-most", type=float, default=6, help="times the seconds of the sweep")
    parser.add_argument("--loop-until", type=float, help="be the loop, and end at this accuracy")
    parser.add_argument("--seconds", type=float, help="be the loop, and end after so many seconds")
    options = parser.parse_args()
    root = (options.root or Path(tempfile.mkdtemp(prefix="side-by-side-"))).resolve()
    if options.loop_until is not None:
        loop(root, options.overrides, options.loop_until, options.seconds)
        return 0
    ours, best = sweep(root / "sweep", options.overrides)
    goal = best - _NEAR
    limit = options.at_most * ours
    seconds, found = looped(root / "loop", options.overrides, goal, limit)
    how = "" if found >= goal else "more than "
    print(f"sweep: {best:.4f} in {ours:.0f} s; loop: {found:.4f} in {seconds:.0f} s, {how}{seconds / ours:.1f} times")
    return 0


def sweep(root: Path, overrides: list[str]) -> tuple[float, float]:
    """Seconds of the sweep, and the validation accuracy of its best trial."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "captcha_exp", f"+sweep={_SWEEP}", f"root={root}", *overrides]
    subprocess.run(command, check=True)
    seconds = time.perf_counter() - started
    rows = csv.DictReader((root / "sweeps" / _SWEEP / "trials.csv").read_text().splitlines())
    return seconds, max(float(row["best/val/sequence_accuracy"] or 0) for row in rows if row["state"] == "finished")


def looped(root: Path, overrides: list[str], goal: float, limit: float) -> tuple[float, float]:
    """Seconds of the loop, and the best validation accuracy that it found."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.search.side_by_side", f"--root={root}", f"--loop-until={goal}"]
    subprocess.run([*command, f"--seconds={limit}", *overrides], check=True)
    return time.perf_counter() - started, float((root / "best").read_text())


def loop(root: Path, overrides: list[str], goal: float, limit: float) -> None:
    """What somebody would write who has Optuna, Keras and MLflow."""
    import mlflow
    import numpy as np
    import optuna

    from benchmarks.keras_fit import stock_fit
    from benchmarks.plain import greedy
    from captcha_exp.dataset import prepare_dataset
    from captcha_exp.reader.image import to_input

    started = time.perf_counter()
    root.mkdir(parents=True, exist_ok=True)
    config = composed(f"+sweep={_SWEEP}", f"root={root}", *overrides)
    dataset = prepare_dataset(config.dataset, root)
    images, texts = to_input(dataset.validation.images[:]), dataset.vocabulary.encode(dataset.validation.labels)
    mlflow.set_tracking_uri(f"sqlite:///{root / 'mlflow.db'}")
    mlflow.create_experiment("loop", artifact_location=str(root / "artifacts"))
    mlflow.set_experiment("loop")
    mlflow.keras.autolog(log_datasets=False)

    def objective(trial: optuna.Trial) -> float:
        chosen = {
            "num_heads": trial.suggest_categorical("num_heads", [1, 2, 4, 8]),
            "projection_dim": trial.suggest_categorical("projection_dim", [32, 64, 96, 128]),
            "dropout": trial.suggest_float("dropout", 0.0, 0.4),
        }
        one = config.model_copy(update={"transformer": config.transformer.model_copy(update=chosen)})
        with mlflow.start_run():
            read = greedy(stock_fit(one, dataset), images)
            wanted = [[character for character in row if character] for row in texts.tolist()]
            accuracy = float(np.mean([a == b for a, b in zip(read, wanted, strict=True)]))
            mlflow.log_metric("val_sequence_accuracy", accuracy)
        return accuracy

    def end(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        passed = time.perf_counter() - started
        print(f"loop: trial {trial.number}: {trial.value:.4f} after {passed:.0f} s", flush=True)
        if study.best_value >= goal or passed > limit:
            study.stop()

    study = optuna.create_study(direction="maximize", storage=f"sqlite:///{root / 'study.db'}")
    study.optimize(objective, callbacks=[end])
    (root / "best").write_text(str(study.best_value))


if __name__ == "__main__":
    sys.exit(main())

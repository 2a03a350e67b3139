"""Mean and spread of the test split's accuracy over training seeds of one configuration.

Run: python -m benchmarks.seeds sweeps/attention [override ...]
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mlflow


def main() -> int:
    """Train `best.yaml` of a sweep once a seed, as many at a time as there are cores, and evaluate each on test."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sweep", type=Path, help="a sweep's folder")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--root", type=Path, default=None)
    options, overrides = parser.parse_known_args()
    root = options.root or Path(tempfile.mkdtemp(prefix="seeds-"))
    best = ["--config-dir", str(options.sweep.resolve()), "--config-name", "best", f"root={root}", *overrides]
    prepared = [sys.executable, "-m", "captcha_exp", *best, "tracking.experiment=warm-up", "training.epochs=1"]
    subprocess.run(prepared, check=True)  # the cache and the database are made once, not by every seed at a time
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        results = list(pool.map(lambda seed: accuracy_of(seed, best, root), range(options.seeds)))
    for seed, (validation, test) in enumerate(results):
        print(f"seed {seed}: validation {validation:.4f}, test {test:.4f}")
    tests = [test for _, test in results]
    spread = statistics.stdev(tests) if len(tests) > 1 else 0.0
    print(f"test sequence accuracy: mean {statistics.mean(tests):.4f}, standard deviation {spread:.4f}, {root}")
    return 0


def accuracy_of(seed: int, best: list[str], root: Path) -> tuple[float, float]:
    """Validation and test sequence accuracy of one training; the model is fixed before the test split is read."""
    name = f"seed-{seed}"
    extra = [f"training.seed={seed}", "training.threads=1", "tracking.experiment=seeds", f"tracking.run_name={name}"]
    log = (root / f"{name}.log").open("w")
    subprocess.run([sys.executable, "-m", "captcha_exp", *best, *extra], check=True, stdout=log, stderr=log)
    client = mlflow.MlflowClient(f"sqlite:///{root}/mlruns/mlflow.db")
    experiment = client.get_experiment_by_name("seeds").experiment_id
    (run,) = client.search_runs([experiment], f"attributes.run_name = '{name}'")
    evaluate = [
        sys.executable,
        "-m",
        "captcha_exp.evaluate",
        *best,
        f"+model=runs:/{run.info.run_id}/model",
        "+split=test",
    ]
    subprocess.run(evaluate, check=True, stdout=log, stderr=log)
    metrics = client.get_run(run.info.run_id).data.metrics
    return metrics["best/val/sequence_accuracy"], metrics["test/sequence_accuracy"]


if __name__ == "__main__":
    sys.exit(main())

"""Measure mean and spread of the test accuracy of one configuration over training seeds.

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

from captcha_exp.config import load_config
from captcha_exp.dataset import prepare_dataset
from captcha_exp.model.evaluator import evaluate
from captcha_exp.tracking import load_recogniser


def main() -> int:
    """Train `best.yaml` of a sweep for each seed (one per core at a time), then judge each on the test split."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sweep", type=Path, help="a sweep's folder")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--root", type=Path)
    options, overrides = parser.parse_known_args()
    root = options.root or Path(tempfile.mkdtemp(prefix="seeds-"))
    root.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "captcha_exp",
        "--config-dir",
        str(options.sweep.resolve()),
        "--config-name",
        "best",
    ]
    command += [f"root={root}", "training.threads=1", *overrides]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda seed: train(seed, command, root), range(options.seeds)))
    results = [judge(seed, root) for seed in range(options.seeds)]
    for seed, (validation, test, minutes) in enumerate(results):
        print(f"seed {seed}: validation {validation:.4f}, test {test:.4f}, {minutes:.1f} min of training")
    tests = [test for _, test, _ in results]
    spread = statistics.stdev(tests) if len(tests) > 1 else 0.0
    print(f"test sequence accuracy: mean {statistics.mean(tests):.4f}, standard deviation {spread:.4f} ({root})")
    return 0


def train(seed: int, command: list[str], root: Path) -> None:
    """One run in its own process, on one thread."""
    with (root / f"seed-{seed}.log").open("w") as log:
        own = [f"training.seed={seed}", f"tracking.run_name=seed-{seed}"]
        subprocess.run([*command, *own], check=True, stdout=log, stderr=subprocess.STDOUT)


def judge(seed: int, root: Path) -> tuple[float, float, float]:
    """The logged validation accuracy, the test accuracy of the logged model, and minutes of training."""
    uri = f"sqlite:///{root}/mlruns/mlflow.db"
    client = mlflow.MlflowClient(uri)
    everywhere = [experiment.experiment_id for experiment in client.search_experiments()]
    (run,) = client.search_runs(everywhere, f"attributes.run_name = 'seed-{seed}'")
    recogniser = load_recogniser(f"runs:/{run.info.run_id}/model", uri)
    config = load_config(recogniser.config)
    test = prepare_dataset(config.dataset, root).test
    judged = evaluate(recogniser.model, test.images, test.labels, recogniser.decoder, 32)
    metrics = run.data.metrics
    return metrics["best/val/sequence_accuracy"], judged.metrics["sequence_accuracy"], metrics["seconds/fit"] / 60


if __name__ == "__main__":
    sys.exit(main())

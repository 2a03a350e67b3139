"""Measure mean and spread of the test accuracy of one configuration over training seeds.

Run: python -m benchmarks.seeds sweeps/attention [override ...]
"""

import argparse
import os
import statistics
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks import named_runs


def main() -> int:
    """Train `best.yaml` of a sweep for each seed (one per core at a time), then judge each on the test split."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sweep", type=Path, help="a sweep's folder")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--root", type=Path)
    options, overrides = parser.parse_known_args()
    root = options.root or Path(tempfile.mkdtemp(prefix="seeds-"))
    root.mkdir(parents=True, exist_ok=True)
    best = ["--config-dir", str(options.sweep.resolve()), "--config-name", "best"]
    arguments = [*best, "training.threads=1", *overrides]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda seed: train(seed, arguments, root), range(options.seeds)))
    results = [judge(seed, root) for seed in range(options.seeds)]
    for seed, (validation, test, minutes) in enumerate(results):
        print(f"seed {seed}: validation {validation:.4f}, test {test:.4f}, {minutes:.1f} min of training")
    tests = [test for _, test, _ in results]
    spread = statistics.stdev(tests) if len(tests) > 1 else 0.0
    print(f"test sequence accuracy: mean {statistics.mean(tests):.4f}, standard deviation {spread:.4f} ({root})")
    return 0


def train(seed: int, arguments: list[str], root: Path) -> None:
    """One run in its own process, on one thread."""
    named_runs.train(root, f"seed-{seed}", [*arguments, f"training.seed={seed}"])


def judge(seed: int, root: Path) -> tuple[float, float, float]:
    """The logged validation accuracy, the test accuracy of the logged model, and minutes of training."""
    logged = named_runs.trained_run(root, f"seed-{seed}").data.metrics
    tested = named_runs.judged_on_test(root, f"seed-{seed}").metrics["sequence_accuracy"]
    return logged["best/val/sequence_accuracy"], tested, logged["seconds/fit"] / 60


if __name__ == "__main__":
    sys.exit(main())

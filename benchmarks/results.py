"""Measure how well real sets are read: several trainings of each case, each judged once on its test split.

Run: CAPTCHA_EXP_DATA=DIR python -m benchmarks.results [CASE ...] [--root DIR] [--at-once N]

Prints one Markdown row for each case. With the root of an earlier call, finished trainings are not repeated.
"""

import argparse
import os
import statistics
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks import named_runs
from benchmarks.inputs import real_images

_SEEDS = tuple(f"training.seed={seed}" for seed in range(3))
_FOLDS = tuple(f"dataset.test_fraction=0.2 dataset.test_fold={fold}" for fold in range(5))


@dataclass(frozen=True)
class Case:
    """Trainings on one set, which differ by `variants` alone."""

    folder: str
    overrides: str
    variants: tuple[str, ...]


CASES = {
    "hard": Case("gregwar5", "+experiment=hard training.epochs=null training.minutes=27", _SEEDS),
    "hard-random": Case(
        "gregwar5", "+experiment=hard training.initial_model=null training.epochs=null training.minutes=27", _SEEDS
    ),
    "easy": Case(
        "captcha_images_v2", "+experiment=hard training.views=1 training.epochs=null training.minutes=3", _FOLDS
    ),
    "easy-200": Case(
        "captcha_images_v2", "+experiment=hard training.views=1 training.limit=200 training.epochs=40", _SEEDS
    ),
    "easy-100": Case(
        "captcha_images_v2", "+experiment=hard training.views=1 training.limit=100 training.epochs=80", _SEEDS
    ),
    "tiny": Case("really_simple4", "+experiment=hard training.views=1 training.epochs=null training.minutes=5", _SEEDS),
}


@dataclass(frozen=True)
class Judged:
    """One training on its test split of `images` texts. `right` and `right_ignoring_case` are counts."""

    images: int
    right: int
    right_ignoring_case: int
    minutes: float
    parameters: int


def main() -> int:
    """Train what is not trained yet, judge, and print a row for each case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", choices=[*CASES, []], default=list(CASES))
    parser.add_argument("--root", type=Path)
    parser.add_argument("--at-once", type=int, default=os.cpu_count(), help="trainings at the same time, a thread each")
    options = parser.parse_args()
    data = real_images()
    root = options.root or Path(tempfile.mkdtemp(prefix="results-"))
    root.mkdir(parents=True, exist_ok=True)
    print("| case | right | ignoring case | wrong of all | minutes | parameters |\n|---|---|---|---|---|---|")
    for name in options.cases or CASES:
        with ThreadPoolExecutor(options.at_once) as pool:
            numbers = range(len(CASES[name].variants))
            list(pool.map(lambda number, name=name: train(name, number, data, root), numbers))
        print(row(name, [judge(f"{name}-{number}", root) for number in numbers]), flush=True)
    return 0


def train(name: str, number: int, data: Path, root: Path) -> None:
    """One training of a case, on one thread, unless it is finished."""
    case = CASES[name]
    table = data / case.folder / "labels.csv"
    dataset, path = ("manifest", table) if table.exists() else ("folder", table.parent)
    own = [f"dataset={dataset}", f"dataset.path={path}", "training.threads=1"]
    named_runs.train(root, f"{name}-{number}", [*own, *case.overrides.split(), *case.variants[number].split()])


def judge(name: str, root: Path) -> Judged:
    """Read the test split with the model that the validation images chose."""
    judged, logged = named_runs.judged_on_test(root, name), named_runs.trained_run(root, name).data.metrics
    images = len(judged.labels)
    right = round(judged.metrics["sequence_accuracy"] * images)
    ignoring = round(judged.metrics["sequence_accuracy_ignore_case"] * images)
    return Judged(images, right, ignoring, logged["seconds/fit"] / 60, int(logged["model/parameters"]))


def row(name: str, judged: list[Judged]) -> str:
    """A case as a row of the table: means, and each training's share of right texts."""
    images = sum(one.images for one in judged)
    each = ", ".join(f"{one.right / one.images:.4f}" for one in judged)
    right, ignoring = sum(one.right for one in judged), sum(one.right_ignoring_case for one in judged)
    minutes = statistics.mean(one.minutes for one in judged)
    return (
        f"| {name} | {right / images:.4f} ({each}) | {ignoring / images:.4f} | {images - right} of {images} "
        f"| {minutes:.1f} | {judged[0].parameters:,} |"
    )


if __name__ == "__main__":
    sys.exit(main())

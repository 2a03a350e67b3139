"""Measure what pretraining on rendered text gains, by the number of real training images.

Run: python -m benchmarks.pretraining [--seeds N] [--root DIR] [--figure FILE.png]
"""

import argparse
import json
import os
import statistics
import string
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from benchmarks import named_runs
from captcha_exp.figures.figure_style import BLUE, FAINT, INK, new_figure, plain_axes

# The first has 832 training images, the second 4,800.
SETS: dict[str, tuple[int | None, ...]] = {"captcha_images_v2": (100, 300, None), "gregwar5": (100, 300, 1000, None)}
# Steps of 32 images, the same for both starts.
STEPS = {100: 600, 300: 1000, 1000: 1800, None: 3000}
# One size for all, so that one pretrained model serves both sets.
_MODEL = ["dataset.image_height=40", "dataset.image_width=160", "cnn.filters=[32,48,64,96,128]"]
_MODEL += ["transformer.projection_dim=128", "transformer.feed_forward_dim=256", "training.threads=1"]
_PRETRAIN = ["training=pretrain", "dataset=styled", "dataset.size=30000", *_MODEL]
# All characters of gregwar5, including those that look alike.
_PRETRAIN.append(f"dataset.characters={string.digits}{string.ascii_letters}")
_STARTS = ("scratch", "pretrained")


@dataclass(frozen=True)
class Case:
    """One training on real images."""

    dataset: str
    limit: int | None
    start: str
    seed: int

    @property
    def name(self) -> str:
        return f"{self.dataset}-{self.limit or 'all'}-{self.start}-{self.seed}"


def main() -> int:
    """Pretrain once, train every case (one per core at a time), judge on the test split, and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--root", type=Path, help="folder of an earlier call, whose finished trainings are kept")
    parser.add_argument("--figure", type=Path, default=Path("docs/pretraining.png"))
    options, pretraining = parser.parse_known_args()
    if not os.environ.get("CAPTCHA_EXP_DATA"):
        print(f"error: set CAPTCHA_EXP_DATA to the folder that holds {' and '.join(SETS)}.", file=sys.stderr)
        return 2
    root = options.root or Path(tempfile.mkdtemp(prefix="pretraining-"))
    print(f"runs in {root}", flush=True)
    root.mkdir(parents=True, exist_ok=True)
    named_runs.train(root, "pretrain", [*_PRETRAIN, *pretraining])
    cases = list(all_cases(options.seeds))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda case: train(root, case), cases))
    accuracies = {case: judge(root, case) for case in cases}
    for line in table(accuracies):
        print(line)
    draw(accuracies).savefig(options.figure)
    return 0


def all_cases(seeds: int) -> Iterator[Case]:
    """All cases, the long ones first, so that all cores are busy until the end."""
    for limit in reversed(STEPS):
        for dataset in (name for name, limits in SETS.items() if limit in limits):
            for start in _STARTS:
                for seed in range(seeds):
                    yield Case(dataset, limit, start, seed)


def train(root: Path, case: Case) -> None:
    """One run in its own process, on one thread."""
    data = Path(os.environ["CAPTCHA_EXP_DATA"]).resolve() / case.dataset
    images = case.limit or sum(1 for _ in data.iterdir()) * 8 // 10
    overrides = ["dataset=folder", f"dataset.path={data}", *_MODEL]
    overrides += [f"training.epochs={-(-STEPS[case.limit] * 32 // images)}", f"training.seed={case.seed}"]
    if case.limit:
        overrides.append(f"training.limit={case.limit}")
    if case.start == "pretrained":
        overrides.append(f"training.initial_model=runs:/{named_runs.trained_run(root, 'pretrain').info.run_id}/model")
    named_runs.train(root, case.name, overrides)


def judge(root: Path, case: Case) -> float:
    """Sequence accuracy on the test split. It is stored beside the runs."""
    kept = root / f"{case.name}.json"
    if not kept.exists():
        kept.write_text(json.dumps(named_runs.judged_on_test(root, case.name).metrics["sequence_accuracy"]))
    return float(json.loads(kept.read_text()))


def points(accuracies: dict[Case, float], dataset: str, start: str) -> list[tuple[int | None, list[float]]]:
    """Accuracies of all seeds, for each number of training images."""
    return [
        (limit, [value for case, value in accuracies.items() if (case.dataset, case.limit, case.start) == chosen])
        for limit in SETS[dataset]
        for chosen in [(dataset, limit, start)]
    ]


def table(accuracies: dict[Case, float]) -> Iterator[str]:
    """Means over seeds, as Markdown."""
    yield "| images of | start | " + " | ".join(str(limit or "all") for limit in STEPS) + " |"
    yield "|---" * (len(STEPS) + 2) + "|"
    for dataset in SETS:
        for start in _STARTS:
            means = {limit: f"{statistics.mean(values):.3f}" for limit, values in points(accuracies, dataset, start)}
            yield f"| `{dataset}` | {start} | " + " | ".join(means.get(limit, "-") for limit in STEPS) + " |"


def draw(accuracies: dict[Case, float]) -> Figure:
    """Test accuracy over training images: a panel for each set, a line through the means, a dot for each seed."""
    figure = new_figure(9, 3.6)
    for axes, dataset in zip(figure.subplots(1, len(SETS), sharey=True), SETS, strict=True):
        for start, colour in zip(_STARTS, (FAINT, BLUE), strict=True):
            values = [value for _, value in points(accuracies, dataset, start)]
            axes.plot([statistics.mean(value) for value in values], color=colour, label=start)
            for place, seeds in enumerate(values):
                axes.plot([place] * len(seeds), seeds, "o", color=colour, markersize=4)
        axes.set_xticks(range(len(SETS[dataset])), [str(limit or "all") for limit in SETS[dataset]])
        axes.set_xlabel("training images", fontsize=9, color=INK)
        axes.set_ylim(-0.02, 1.02)
        plain_axes(axes, f"{dataset}: test texts read right")
    figure.axes[0].legend(frameon=False, fontsize=9, labelcolor=INK)
    figure.tight_layout(w_pad=2.5)
    return figure


if __name__ == "__main__":
    sys.exit(main())

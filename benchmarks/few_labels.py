"""Compare ways to make much of few labels, by the models that learn from them.

Run: CAPTCHA_EXP_DATA=DIR python -m benchmarks.few_labels [--set captcha_images_v2] [--labels 100] [--seeds 3]
     [--root DIR] [--at-once N] [--ways random,chosen,unlabelled] [TRAINING ...]

`random` labels images at random. `chosen` labels those that `captcha-exp label` asks for: the first by the guesses of
the shipped weights, and by new guesses after every 50 labels. `unlabelled` has the labels of `random`, and all other
images but the test images without a label (`training.unlabelled`).

Every fifth image is the test, as in `captcha-exp label`, and is never labelled for training. All ways end with the same
training, `TRAINING`, from the shipped weights. Prints one Markdown row for each way. With the root of an earlier call,
finished trainings are not repeated.
"""

import argparse
import csv
import os
import random
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks import named_runs
from benchmarks.inputs import composed, real_images
from captcha_exp.label.image_pool import ImagePool, open_pool
from captcha_exp.label.query_strategy import held_out, in_random_order, most_worth
from captcha_exp.label.retraining_process import Work, guesses_of
from captcha_exp.python_calls import load_model

_TEST_EVERY, _RETRAIN_EVERY, _BATCH = 5, 50, 32
_TRAINING = ("+experiment=pretrained",)


@dataclass
class Folder:
    """Images named after their texts, divided as `captcha-exp label` divides them."""

    path: Path
    root: Path
    training: list[str]
    pool: ImagePool = field(init=False)
    shipped: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.pool = open_pool(composed("dataset=folder", f"dataset.path={self.path}", f"root={self.root}").dataset)  # type: ignore[arg-type]
        digests = [image.digest for image in self.pool.images]
        self.test = held_out(digests, _TEST_EVERY)
        self.others = [number for number in in_random_order(digests) if number not in set(self.test)]
        files = [(image.name, image.path) for image in self.pool.images]
        texts = guesses_of(Work(None, 0, files, self.root / "shipped.log"), lambda message: None).texts
        self.shipped = np.array([texts[name][1] for name, _ in files])

    def train(self, name: str, chosen: list[int], seed: int, *more: str) -> None:
        """Train on the labels of the chosen images, on one thread. `more` are further settings."""
        table = self.root / f"{name}.csv"
        with table.open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(["file", "label", "split"])
            for split, numbers in (("train", chosen), ("test", self.test)):
                names = [self.pool.images[number].name for number in numbers]
                rows.writerows([one, Path(one).stem, split] for one in names)
        own = ["dataset=manifest", f"dataset.path={table}", f"dataset.image_root={self.path}"]
        own += ["dataset.given_splits=true", f"training.seed={seed}", "training.threads=1"]
        named_runs.train(self.root, name, [*own, *self.training, *more])

    def confidences(self, name: str) -> np.ndarray:
        """How sure the model of that name is of what it reads in each image."""
        address = f"runs:/{named_runs.trained_run(self.root, name).info.run_id}/model"
        model = load_model(address, str(self.root), threads=1)
        return np.array([one.confidence for one in model.read([image.path for image in self.pool.images])])


def random_labels(folder: Folder, labels: int, seed: int) -> list[int]:
    """As many images, drawn at random."""
    return random.Random(seed).sample(folder.others, labels)


def chosen_labels(folder: Folder, labels: int, seed: int) -> list[int]:
    """The images that the page asks for, with a training after every 50 labels."""
    chosen: list[int] = []
    confidences = folder.shipped
    while len(chosen) < labels:
        if chosen and len(chosen) % _RETRAIN_EVERY == 0:
            folder.train(f"chosen-{seed}-{len(chosen)}", chosen, seed)
            confidences = folder.confidences(f"chosen-{seed}-{len(chosen)}")
        until = min(labels, len(chosen) + _RETRAIN_EVERY - len(chosen) % _RETRAIN_EVERY)
        while len(chosen) < until:
            known = set(chosen)
            candidates = [number for number in folder.others if number not in known]
            batch = most_worth(candidates, confidences, folder.pool.thumbnails, known, _BATCH)
            chosen += batch[: until - len(chosen)]
    return chosen


WAYS: dict[str, Callable[[Folder, int, int], list[int]]] = {
    "random": random_labels,
    "chosen": chosen_labels,
    "unlabelled": random_labels,
}


def main() -> int:
    """Label, train and judge; print a row for each way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("training", nargs="*", default=_TRAINING)
    parser.add_argument("--set", default="captcha_images_v2")
    parser.add_argument("--labels", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--ways", type=lambda text: text.split(","), default=list(WAYS))
    parser.add_argument("--root", type=Path)
    parser.add_argument("--at-once", type=int, default=os.cpu_count(), help="trainings at the same time, a thread each")
    options = parser.parse_args()
    root = (options.root or Path(tempfile.mkdtemp(prefix="few-labels-"))).resolve()
    root.mkdir(parents=True, exist_ok=True)
    folder = Folder(real_images() / options.set, root, list(options.training))

    def judged(task: tuple[str, int]) -> tuple[int, int]:
        way, seed = task
        name = f"{way}-{seed}-{options.labels}"
        more = [f"training.unlabelled={folder.path}"] if way == "unlabelled" else []
        folder.train(name, WAYS[way](folder, options.labels, seed), seed, *more)
        found = named_runs.judged_on_test(root, name)
        return round(found.metrics["sequence_accuracy"] * len(found.labels)), len(found.labels)

    tasks = [(way, seed) for way in options.ways for seed in range(options.seeds)]
    with ThreadPoolExecutor(options.at_once) as pool:
        results = dict(zip(tasks, pool.map(judged, tasks), strict=True))
    print("| labels | right on test | each |\n|---|---|---|")
    for way in options.ways:
        found = [results[way, seed] for seed in range(options.seeds)]
        each = ", ".join(f"{right / images:.4f}" for right, images in found)
        mean = sum(right for right, _ in found) / sum(images for _, images in found)
        print(f"| {options.labels} {way} | {mean:.4f} | {each} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Measure how fast predict reads images with each runtime, decoding and constraint, and how soon it begins.

Run: python -m benchmarks.predict MODEL IMAGE_FOLDER [TRACKING_URI]
"""

import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from captcha_exp.model.forward_pass import ForwardPass
from captcha_exp.reader.decoding import Constraint, decode
from captcha_exp.reader.predictor import ONNX_FILE, Predictor, Reading
from captcha_exp.tracking import load_recogniser
from captcha_exp.tracking.logged_model import model_folder

_IMAGES = 256
_ROUNDS = 5
_WORDS = (1_000, 100_000)


def main() -> int:
    """Measure a servable model, e.g. `models:/captcha@champion`, on a folder of similar images."""
    address, folder, uri = sys.argv[1], Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else ""
    model = model_folder(address, uri, Path(tempfile.mkdtemp(prefix="predict-")))
    paths = sorted(folder.glob("*.png"))[:_IMAGES] or sorted(folder.glob("*.jpg"))[:_IMAGES]
    files = [path.read_bytes() for path in paths]
    onnx = Predictor.of_onnx(model / ONNX_FILE, threads=1)
    print(
        f"{len(files)} images, {onnx.time_steps} time steps, {len(onnx.characters)} characters; milliseconds an image,"
    )
    print("median of five: processor time, wall time")
    show_reading(onnx, files)
    show_decoding(onnx, files)
    recogniser = load_recogniser(str(model), "")
    keras = Predictor(ForwardPass(recogniser.model), vars(recogniser))
    show("whole, TensorFlow", len(files), lambda: keras.read(files))
    for predictor in (onnx, keras):
        show(f"one image alone, {predictor.runtime}", 1, partial(predictor.read, files[:1]))
    print(f"texts of both runtimes are the same: {texts(onnx, files) == texts(keras, files)}")
    show_commands(model, [str(path) for path in paths])
    return 0


def show_reading(predictor: Predictor, files: list[bytes]) -> None:
    """Measure reading from bytes to texts, with each constraint."""
    source = random.Random(0)
    constraints: list[tuple[str, Constraint | None]] = [
        ("nothing", None),
        ("pattern=.{5}", Constraint(pattern=".{5}")),
        ("pattern=[0-9]{2}.*", Constraint(pattern="[0-9]{2}.*")),
        ("max_length=8", Constraint(max_length=8)),
    ]
    for count in _WORDS:
        made = {"".join(source.choices(predictor.characters, k=source.randint(4, 7))) for _ in range(count)}
        constraints.append((f"lexicon of {len(made)} words", Constraint(lexicon=tuple(made))))
    for name, constraint in constraints:
        started = time.process_time()
        if constraint is not None:
            predictor.automaton(constraint)
        prepared = time.process_time() - started
        show(f"whole, knowing {name}", len(files), lambda: predictor.read(files, constraint), f"once {prepared:.2f} s")  # noqa: B023
    show("whole, with three alternatives", len(files), lambda: predictor.read(files, alternatives=3))


def show_decoding(predictor: Predictor, files: list[bytes]) -> None:
    """Decoding alone."""
    readings = [r for r in predictor.read(files, with_probabilities=True) if isinstance(r, Reading)]
    probabilities = np.stack([reading.probabilities for reading in readings])  # type: ignore[misc]
    for width in (None, 10, 50):
        name = "decoding alone, " + ("greedy" if width is None else f"beam of width {width}")
        show(name, len(files), lambda: decode(probabilities, predictor.characters, width))  # noqa: B023


def show_commands(model: Path, paths: list[str]) -> None:
    """Measure the whole command, in separate processes."""
    trained = Path(tempfile.mkdtemp(prefix="predict-")) / "model"
    shutil.copytree(model, trained, ignore=shutil.ignore_patterns(ONNX_FILE.name))
    for name, place in (("ONNX Runtime", model), ("TensorFlow", trained)):
        for count in (1, len(paths)):
            seconds = []
            for _ in range(3):
                command = [sys.executable, "-m", "captcha_exp.predict", f"model={place}", *paths[:count]]
                started = time.perf_counter()
                subprocess.run(command, check=True, capture_output=True)
                seconds.append(time.perf_counter() - started)
            print(f"command, {count} images, {name}: {statistics.median(seconds):.1f} s from start to end")


def texts(predictor: Predictor, files: list[bytes]) -> list[str]:
    """The texts that are read."""
    return [reading.text for reading in predictor.read(files) if isinstance(reading, Reading)]


def show(name: str, images: int, work: Callable[[], object], note: str = "") -> None:
    """Print the time of some work on images."""
    work()
    spent, wall = [], []
    for _ in range(_ROUNDS):
        cpu, started = time.process_time(), time.perf_counter()
        work()
        wall.append(time.perf_counter() - started)
        spent.append(time.process_time() - cpu)
    figures = [1000 * statistics.median(values) / images for values in (spent, wall)]
    print(f"{name:40s} {figures[0]:8.2f} {figures[1]:8.2f}   {note}")


if __name__ == "__main__":
    sys.exit(main())

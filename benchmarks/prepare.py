"""Measure how fast a large folder of JPG files is prepared, and how fast the result is found again.

Run: python -m benchmarks.prepare [--images 100000] [--root DIR]
"""

import argparse
import io
import os
import random
import resource
import shutil
import string
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from captcha_exp.config import SyntheticConfig
from captcha_exp.dataset.synthetic import open_synthetic

_SIZE = (150, 40)
_RENDERED = 600
# The work of `python -m captcha_exp.prepare`, with times that exclude the interpreter's start and the imports.
_PREPARE = """
import resource, sys, time
from pathlib import Path
from hydra import compose, initialize_config_dir
from captcha_exp.config import conf_dir, load_config
from captcha_exp.dataset import folder, prepare_dataset
with initialize_config_dir(str(conf_dir()), version_base="1.3"):
    config = load_config(compose("config", ["dataset=folder", f"dataset.path={sys.argv[1]}", f"root={sys.argv[2]}"]))
everyone = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
def cpu():
    return sum(sum(resource.getrusage(who)[:2]) for who in everyone)
wall, processor = time.perf_counter(), cpu()
dataset = prepare_dataset(config.dataset, config.root_path)
wall, processor = time.perf_counter() - wall, cpu() - processor
print(sum(map(len, dataset.splits)), wall, processor, *(resource.getrusage(who).ru_maxrss for who in everyone))
"""


def main() -> int:
    """Make the files, prepare them twice, and print the cost of each time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--root", type=Path, help="keep the files here, and use existing ones")
    options = parser.parse_args()
    root = options.root or Path(tempfile.mkdtemp(prefix="prepare-"))
    images = root / f"images-{options.images}"
    try:
        if not images.exists():
            _make(images, options.images)
        shutil.rmtree(root / "cache", ignore_errors=True)
        first, second = _measured(images, root), _measured(images, root)
    finally:
        if options.root is None:
            shutil.rmtree(root)
    rate, each, cores = first["images"] / first["wall_s"], first["processor_s"] / first["images"], os.cpu_count() or 1
    print(f"first start: {rate:.0f} images/s on {cores} cores, load average {os.getloadavg()[0]:.1f}")
    print(f"first start: {each * 1e6:.0f} us of processor time an image, so at most {cores / each:.0f} images/s")
    print(f"first start: {first['memory_mib']:.0f} MiB in all processes")
    print(f"second start: {second['wall_s']:.2f} s, {second['processor_s']:.2f} s of processor time")
    print(f"with interpreter and imports: {second['whole_wall_s']:.2f} s, {second['whole_processor_s']:.2f} s")
    return 0


def _measured(images: Path, root: Path) -> dict[str, float]:
    """One start in a new process."""
    before, started = _children_s(), time.perf_counter()
    command = [sys.executable, "-c", _PREPARE, str(images), str(root)]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    whole_wall_s = time.perf_counter() - started
    count, wall_s, processor_s, own_kib, child_kib = map(float, answer.split())
    return {
        "images": count,
        "wall_s": wall_s,
        "processor_s": processor_s,
        "whole_wall_s": whole_wall_s,
        "whole_processor_s": _children_s() - before,
        "memory_mib": (own_kib + child_kib * (os.cpu_count() or 1)) / 1024,
    }


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _make(folder: Path, count: int) -> None:
    """`count` different JPG files with labels of five letters and digits as their names."""
    rng = random.Random(0)
    labels: set[str] = set()
    while len(labels) < count:
        labels.add("".join(rng.choices(string.ascii_letters + string.digits, k=5)))
    print(f"making {count} files in {folder}", file=sys.stderr)
    partial = folder.with_name(f"{folder.name}.partial")
    partial.mkdir(parents=True, exist_ok=True)
    tasks = [(str(partial), part, cores) for cores in [os.cpu_count() or 1] for part in range(cores)]
    with ProcessPoolExecutor() as pool:
        list(pool.map(_make_part, tasks, [sorted(labels)] * len(tasks)))
    os.sync()
    partial.rename(folder)


def _make_part(task: tuple[str, int, int], labels: list[str]) -> None:
    folder, part, parts = task
    bases = _bases()
    for index in range(part, len(labels), parts):
        shift = index // len(bases)
        moved = np.roll(bases[index % len(bases)], (shift % 40, shift // 40), axis=(0, 1))
        Image.fromarray(moved).save(f"{folder}/{labels[index]}.jpg", quality=75)


def _bases() -> list[np.ndarray]:
    """Images of 150x40 to vary: real ones if CAPTCHA_EXP_DATA names their folder, else rendered ones."""
    data = os.environ.get("CAPTCHA_EXP_DATA")
    if data:
        files = sorted((Path(data) / "gregwar5").glob("*.jpg"))
        return [np.asarray(Image.open(file).convert("RGB")) for file in files]
    source = open_synthetic(
        SyntheticConfig.model_construct(
            size=_RENDERED, seed=0, characters=string.ascii_letters, min_length=5, max_length=5
        )
    )
    rendered = [Image.open(io.BytesIO(source.load(sample.locator))) for sample in source.samples]
    return [np.asarray(image.convert("RGB").resize(_SIZE)) for image in rendered]


if __name__ == "__main__":
    sys.exit(main())

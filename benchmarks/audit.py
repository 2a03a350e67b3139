"""Measure how many images an audit inspects in a second, and its memory.

Run: python -m benchmarks.audit [--images N] [override ...]
"""

import argparse
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks.inputs import composed
from captcha_exp.config import Config
from captcha_exp.dataset import prepare_dataset
from captcha_exp.dataset.image_spec import image_spec
from captcha_exp.dataset.samples import Source
from captcha_exp.dataset.sources import open_source
from captcha_exp.prepare.audit import audit_dataset
from captcha_exp.prepare.audit_folder import write_audit
from captcha_exp.prepare.audit_page import render_page
from captcha_exp.prepare.file_inspection import inspect
from captcha_exp.reader.image import ImageSpec

_ROUND, _ROUNDS = 400, 8
_SIZE = (150, 40)  # the size of the largest public set


def main() -> int:
    """Audit a new folder of PNG files, or the dataset that overrides name, and print images/s for each part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100_000, help="files to write where no dataset is named")
    options, overrides = parser.parse_known_args()
    root = Path(tempfile.mkdtemp(prefix="audit-"))
    try:
        if not overrides:
            write_images(root / "images", options.images)
            overrides = ["dataset=folder", f"dataset.path={root}/images"]
        measure(composed(f"root={root}", *overrides))
    finally:
        shutil.rmtree(root)
    return 0


def measure(config: Config) -> None:
    """Print seconds and images/s of an audit and of its page, processor time of all processes, and peak memory."""
    dataset = prepare_dataset(config.dataset, config.root_path)
    source = open_source(config.dataset, config.root_path / "cache")
    print(f"inspecting files alone: {inspected_per_second(source, image_spec(config.dataset)):.0f} a processor second")
    prepared_mib = peak_mib(resource.RUSAGE_SELF)
    wall, cpu = time.perf_counter(), cpu_seconds()
    audit = audit_dataset(source, dataset, config.dataset, None)
    audited = time.perf_counter() - wall
    page = write_audit(audit, render_page(audit, source.load), config.root_path)
    images = len(audit.samples)
    print(f"audit: {images} images in {audited:.1f} s, {images / audited:.0f} images/s")
    print(f"page and table: {time.perf_counter() - wall - audited:.1f} s, {page.stat().st_size / 2**20:.1f} MiB")
    used = cpu_seconds() - cpu
    print(f"processor time of both: {used:.1f} s, {images / used:.0f} images a processor second")
    print(
        f"peak memory: {peak_mib(resource.RUSAGE_SELF):.0f} MiB, of it {prepared_mib:.0f} MiB before the audit; "
        f"largest child {peak_mib(resource.RUSAGE_CHILDREN):.0f} MiB"
    )


def inspected_per_second(source: Source, spec: ImageSpec) -> float:
    """Files per second of processor time in this process. The best of several rounds is the least disturbed."""
    files = [source.load(sample.locator) for sample in source.samples[:_ROUND]]
    seconds = []
    for _ in range(_ROUNDS):
        started = time.process_time()
        for data in files:
            inspect(data, spec)
        seconds.append(time.process_time() - started)
    return len(files) / min(seconds)


def write_images(folder: Path, count: int) -> None:
    """PNG files of five digits and letters under coloured lines, all different."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    font = ImageFont.load_default(26)
    symbols = np.array(list("23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz"))
    for _ in range(count):
        label = "".join(rng.choice(symbols, 5))
        image = Image.new("RGB", _SIZE, tuple(rng.integers(200, 256, 3).tolist()))
        pen = ImageDraw.Draw(image)
        for _line in range(4):
            pen.line(rng.integers(0, _SIZE[0], 4).tolist(), fill=tuple(rng.integers(0, 200, 3).tolist()))
        pen.text((int(rng.integers(5, 50)), int(rng.integers(0, 10))), label, fill=(0, 0, 0), font=font)
        image.save(folder / f"{label}.png", compress_level=1)


def cpu_seconds() -> float:
    """Processor time of this process and of all children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def peak_mib(who: int) -> float:
    """The peak memory of this process, or of any child."""
    return resource.getrusage(who).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())

"""Measure how many images per second dataset=styled renders: each family alone, and all with the whole command.

Run: python -m benchmarks.styled_rate [override ...]
"""

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.inputs import composed
from captcha_exp.config import StyledConfig, SyntheticConfig
from captcha_exp.dataset.image_spec import image_spec
from captcha_exp.dataset.samples import Source
from captcha_exp.dataset.styled import open_styled
from captcha_exp.dataset.synthetic import open_synthetic
from captcha_exp.reader.image import ImageSpec, decode_image


def main() -> int:
    """Print processor time per image of each family and of dataset=synthetic, then the rate of the whole command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=20_000, help="images for the whole command")
    parser.add_argument("--each", type=int, default=1_000, help="images of each family")
    parser.add_argument("--repeat", type=int, default=3, help="repetitions of the whole command")
    options, overrides = parser.parse_known_args()
    dataset = composed("dataset=styled", *overrides).dataset
    other = composed(f"dataset.size={2 * options.each}").dataset
    if not isinstance(dataset, StyledConfig) or not isinstance(other, SyntheticConfig):
        parser.error("needs dataset=styled")
    dataset = dataset.model_copy(update={"size": 2 * options.each})
    spec = image_spec(dataset)
    for family in sorted(dataset.styles):
        one = dataset.model_copy(update={"styles": {family: dataset.styles[family]}})
        per_image(family, open_styled(one), spec)
    per_image("all mixed", open_styled(dataset), spec)
    per_image("(synthetic)", open_synthetic(other), spec)
    for _ in range(options.repeat):
        whole_command(options.images, overrides)
    return 0


def per_image(name: str, source: Source, spec: ImageSpec) -> None:
    """Print processor milliseconds to render and to decode one image on one core, after the first half is drawn."""
    images = len(source.samples) // 2
    for sample in source.samples[:images]:
        source.load(sample.locator)
    started = time.process_time()
    files = [source.load(sample.locator) for sample in source.samples[images:]]
    rendered = time.process_time()
    for file in files:
        decode_image(file, spec)
    decoded = time.process_time()
    render_ms, decode_ms = (rendered - started) / images * 1e3, (decoded - rendered) / images * 1e3
    kib = sum(map(len, files)) / len(files) / 1024
    print(f"{name:12} {render_ms:.2f} ms to render, {decode_ms:.2f} ms to decode, {kib:.1f} KiB an image")


def whole_command(images: int, overrides: list[str]) -> None:
    """Run `prepare` in a new folder from start to end, with imports but without the audit."""
    with tempfile.TemporaryDirectory() as root:
        command = [sys.executable, "-m", "captcha_exp.prepare", "audit=false", f"root={root}"]
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        told = subprocess.run(
            [*command, "dataset=styled", f"dataset.size={images}", *overrides],
            check=True,
            capture_output=True,
            text=True,
            cwd=Path(__file__).parents[1],
        ).stdout
        wall_s, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    inside = [float(rate) for rate in re.findall(r"\((\d+)/s\)", told)]
    print(
        f"{images} images in {wall_s:.1f} s on {os.cpu_count()} cores: {images / wall_s:.0f} images/s"
        + (f" ({inside[-1]:.0f} while decoding)" if inside else "")
        + f", {cpu_s / images * 1e3:.2f} ms of processor time an image ({cpu_s / wall_s:.1f} cores in use by it)"
    )


if __name__ == "__main__":
    sys.exit(main())

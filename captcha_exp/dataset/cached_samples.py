"""The usable samples of a dataset, decoded and kept on disk."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from captcha_exp.dataset.mapped_images import MappedImages
from captcha_exp.dataset.samples import Sample, SkippedFile
from captcha_exp.files import replacing
from captcha_exp.lock import locked
from captcha_exp.reader.image import ImageSpec

IMAGES = "images.bin"


@dataclass(frozen=True)
class Cached:
    """The usable samples of a source, decoded.

    `rows` is each sample's place in the file of images. `pixels` is a number per sample that is equal for equal images.
    `unusual` counts images that would show nothing if they were read like others, by what was done with them.
    """

    folder: Path
    fingerprint: str
    samples: list[Sample]
    rows: np.ndarray
    pixels: np.ndarray
    skipped: list[SkippedFile]
    unusual: Mapping[str, int]

    def remembered(self, question: str, answer: Callable[[], dict[str, list[int]]]) -> dict[str, list[int]]:
        """The answer to a question about these samples. The first call computes it and keeps it on disk."""
        name = f"answer-{hashlib.sha256(question.encode()).hexdigest()[:16]}"
        path = self.folder / f"{name}.json"
        try:
            return json.loads(path.read_text())
        except (OSError, ValueError):  # not asked yet, or the file was cut off
            answered = answer()
        with locked(self.folder / f"{name}.lock"), replacing(path) as file:
            file.write(json.dumps(answered).encode())
        return answered

    def images(self, spec: ImageSpec) -> MappedImages:
        """Map the images of all samples, (N, H, W) or (N, H, W, 3), from disk."""
        return MappedImages.open(self.folder / IMAGES, spec.shape, self.rows)

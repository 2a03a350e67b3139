"""The usable samples of a dataset, decoded, as they lie on disk."""

import hashlib
import json
import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from captcha_exp.dataset.samples import Report, Sample, SkippedFile
from captcha_exp.lock import locked
from captcha_exp.reader.image import ImageSpec

IMAGES = "images.bin"


@dataclass(frozen=True)
class Cached:
    """The usable samples of a source, decoded.

    `rows` is each sample's place in the file of images, `pixels` a number that is equal for equal images.
    """

    folder: Path
    fingerprint: str
    samples: list[Sample]
    rows: np.ndarray
    pixels: np.ndarray
    skipped: list[SkippedFile]

    def remembered(self, question: str, answer: Callable[[], dict[str, list[int]]]) -> dict[str, list[int]]:
        """The answer to a question about these samples, worked out only the first time that it is asked."""
        name = f"answer-{hashlib.sha256(question.encode()).hexdigest()[:16]}"
        path = self.folder / f"{name}.json"
        try:
            return json.loads(path.read_text())
        except (OSError, ValueError):  # not asked yet, or cut off since
            answered = answer()
        with locked(self.folder / f"{name}.lock"), replacing(path) as file:
            file.write(json.dumps(answered).encode())
        return answered

    def arranged(self, order: Sequence[int] | np.ndarray, spec: ImageSpec, report: Report) -> np.ndarray:
        """The images in an order, mapped from a file that is written the first time the order is asked for.

        Returns:
            uint8 of shape (N, H, W), read-only; a slice of it stays mapped.
        """
        rows = self.rows[np.asarray(order, np.int64)]
        name = f"order-{hashlib.sha256(rows.tobytes()).hexdigest()[:16]}"
        path = self.folder / f"{name}.bin"
        shape = (len(rows), spec.height, spec.width)
        if not _is_whole(path, shape):
            waiting = "waiting for another process that arranges the images"
            with locked(self.folder / f"{name}.lock", lambda: report(waiting)):
                if not _is_whole(path, shape):
                    self._arrange(rows, path, shape)
        return np.memmap(path, np.uint8, "r", shape=shape)

    def _arrange(self, rows: np.ndarray, path: Path, shape: tuple[int, int, int]) -> None:
        image_bytes = shape[1] * shape[2]
        # Read and not mapped: pages of a map would count as this process's memory, all of them in the end.
        with (self.folder / IMAGES).open("rb") as images, replacing(path) as file:
            for row in rows.tolist():
                file.write(os.pread(images.fileno(), image_bytes, row * image_bytes))


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes the place of `path` when it is complete and on disk; the caller holds a lock."""
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _is_whole(path: Path, shape: tuple[int, int, int]) -> bool:
    try:
        return path.stat().st_size == math.prod(shape)
    except FileNotFoundError:
        return False

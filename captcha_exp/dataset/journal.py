"""What an interrupted preparation has decoded, so that the next one goes on from there."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

from captcha_exp.dataset.decode_images import Outcome, digest


class Journal:
    """One line for each chunk of decoded samples, written after its images.

    It is believed only as far as the images are what it says: after a power cut either file may lack its end.
    """

    def __init__(self, path: Path, images: Path, image_bytes: int) -> None:
        self._path, self._images, self._image_bytes = path, images, image_bytes

    def recovered(self) -> list[Outcome]:
        """Outcomes from the first sample on; what follows them in the journal is cut off."""
        outcomes: list[Outcome] = []
        believed = 0
        try:
            with self._path.open("rb") as lines, self._images.open("rb") as images:
                for line in lines:
                    chunk = _parsed(line)
                    if chunk is None or not self._holds(images.fileno(), len(outcomes), chunk):
                        break
                    outcomes += chunk
                    believed += len(line)
        except FileNotFoundError:
            return []
        os.truncate(self._path, believed)
        return outcomes

    def write(self, chunks: Iterator[list[Outcome]]) -> Iterator[list[Outcome]]:
        """Pass chunks on, each written first."""
        with self._path.open("ab") as file:
            for chunk in chunks:
                file.write(json.dumps(chunk).encode() + b"\n")
                file.flush()
                yield chunk

    def _holds(self, images: int, first: int, chunk: list[Outcome]) -> bool:
        data = os.pread(images, len(chunk) * self._image_bytes, first * self._image_bytes)
        for index, outcome in enumerate(chunk):
            image = data[index * self._image_bytes : (index + 1) * self._image_bytes]
            if not isinstance(outcome, str) and digest(image) != outcome[1]:
                return False
        return True


def _parsed(line: bytes) -> list[Outcome] | None:
    if not line.endswith(b"\n"):
        return None
    try:
        chunk = json.loads(line)
    except ValueError:
        return None
    return [outcome if isinstance(outcome, str) else (outcome[0], outcome[1]) for outcome in chunk]

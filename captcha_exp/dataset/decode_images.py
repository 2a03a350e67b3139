"""Decodes image files into one file of pixels."""

import hashlib
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from captcha_exp.reader.image import ImageSpec, decode_and_tell
from captcha_exp.reader.image_formats import BadImageError

_REASON_LENGTH = 200
Loader = Callable[[str], bytes]


# The outcome of a sample: the digests of its file and its pixels, and what was unusual about it or an empty text; or
# the reason why it is skipped.
Outcome = tuple[str, str, str] | str


@dataclass(frozen=True)
class Decoder:
    """Writes each image at its sample's place in the file `output`. It can be pickled if `load` can."""

    load: Loader
    spec: ImageSpec
    output: str

    def __call__(self, first: int, locators: Sequence[str]) -> list[Outcome]:
        """Decode samples `first`, `first + 1`, ..."""
        outcomes: list[Outcome] = []
        image_bytes = math.prod(self.spec.shape)
        output = os.open(self.output, os.O_RDWR)
        try:
            for index, locator in enumerate(locators, start=first):
                try:
                    data = self.load(locator)
                    image, unusual = decode_and_tell(data, self.spec)
                except BadImageError as error:
                    outcomes.append(str(error)[:_REASON_LENGTH])
                    continue
                pixels = image.tobytes()
                # Do not use a memory map here: on a full disk it would kill the process, but a write raises an error.
                _write_all(output, pixels, index * image_bytes)
                outcomes.append((digest(data), digest(pixels), unusual or ""))
        finally:
            os.close(output)
        return outcomes


def _write_all(output: int, data: bytes, offset: int) -> None:
    while data:
        written = os.pwrite(output, data, offset)
        data, offset = data[written:], offset + written


def digest(data: bytes) -> str:
    """A digest that identifies an image or a file, in 32 hexadecimal digits."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def create_output(path: Path, samples: int, spec: ImageSpec) -> None:
    """Make a file with a place for each sample's image. The places of skipped samples stay empty and use no disk."""
    with path.open("wb") as file:
        file.truncate(samples * math.prod(spec.shape))

"""What one image file holds, told from its bytes."""

import hashlib
import io
import os
from dataclasses import dataclass
from enum import Enum

import numpy as np
from PIL import Image

from captcha_exp.reader.image import FORMATS, BadImageError, ImageSpec, decode_image

# Bits of a perceptual hash; docs/data.md has what 256 of them tell apart, and 64 do not.
HASH_SIZE = 16
_DIGEST_BYTES = 16
# Formats whose last bytes are fixed. Neither mark can occur by chance: JPEG escapes it, PNG's is the type of a chunk.
_MARKS = {b"\x89PNG\r\n\x1a\n": b"IEND", b"\xff\xd8\xff": b"\xff\xd9"}
_FORMAT_OF_SUFFIX = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".gif": "GIF",
    ".bmp": "BMP",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".ppm": "PPM",
    ".pgm": "PPM",
}


class Damage(Enum):
    """Why a file gives no image; `rejected` ones were left out by name or label, before they were read."""

    empty = "empty"
    truncated = "truncated"
    unreadable = "unreadable"
    rejected = "rejected"


@dataclass(frozen=True, slots=True)
class Damaged:
    """A file that gives no image."""

    kind: Damage
    reason: str


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A file that gives an image, of sizes in pixels.

    `content` is a digest of its bytes, `pixels` one of what it shows at full size and in colour, whatever its format,
    and `perceptual` a hash of which few bits differ where two images look the same.
    """

    format: str
    mode: str
    width: int
    height: int
    content: bytes
    pixels: bytes
    perceptual: bytes
    cut_off: bool


def inspect(data: bytes, spec: ImageSpec) -> FileFacts | Damaged:
    """Tell what an image file holds.

    Args:
        data: the whole file.
        spec: what models see of it; the perceptual hash is taken of that.
    """
    cut_off = any(data.startswith(start) and end not in data for start, end in _MARKS.items())
    try:
        seen = decode_image(data, spec)
    except BadImageError as error:
        reason = str(error)
        if not data:
            return Damaged(Damage.empty, reason)
        truncated = cut_off or "truncated" in reason.lower()
        return Damaged(Damage.truncated if truncated else Damage.unreadable, reason)
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        # Before decoding, which changes the mode of some.
        kind, mode, (width, height) = image.format or "unknown", image.mode, image.size
        pixels = _pixel_digest(image)
    return FileFacts(kind, mode, width, height, _digest(data), pixels, _perceptual(seen), cut_off)


def format_of_suffix(name: str) -> str | None:
    """The format that a file's suffix promises, None where it promises none."""
    return _FORMAT_OF_SUFFIX.get(os.path.splitext(name)[1].lower())


def _perceptual(seen: np.ndarray) -> bytes:
    # Slow to import, and only wanted where images are read.
    import imagehash

    bits = imagehash.phash(Image.fromarray(seen), hash_size=HASH_SIZE).hash
    return np.packbits(bits).tobytes()


def _pixel_digest(image: Image.Image) -> bytes:
    """Equal for images that a viewer shows alike, whichever mode they are stored in."""
    shown = image
    if image.mode == "I" or image.mode.startswith("I;16"):
        levels = np.asarray(image).astype(np.uint16)
        if (levels % 257).any():  # finer than 8 bits can say
            return _digest(b"16 %d %d " % image.size + levels.tobytes())
        shown = Image.fromarray((levels // 257).astype(np.uint8))
    if shown.has_transparency_data:
        shown = shown.convert("RGBA")
        if shown.getchannel("A").getextrema() != (255, 255):
            return _digest(b"RGBA %d %d " % shown.size + shown.tobytes())
    return _digest(b"RGB %d %d " % shown.size + shown.convert("RGB").tobytes())


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_DIGEST_BYTES).digest()

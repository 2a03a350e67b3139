"""Inspects the bytes of one image file."""

import hashlib
import io
import os
from dataclasses import dataclass
from enum import Enum

import numpy as np
from PIL import Image

from captcha_exp.reader.image import ImageSpec, decode_image
from captcha_exp.reader.image_formats import FORMATS, BadImageError

# The side of a perceptual hash, in bits. docs/data.md shows why 64 bits are too few and 256 are enough.
HASH_SIZE = 16
_DIGEST_BYTES = 16
# Formats with a fixed end mark. The mark cannot occur by chance: JPEG escapes it, and in PNG it is a chunk type.
_MARKS = {b"\x89PNG\r\n\x1a\n": b"IEND", b"\xff\xd8\xff": b"\xff\xd9"}
_FORMAT_OF_SUFFIX = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jif": "JPEG",
    ".jfif": "JPEG",
    ".pjp": "JPEG",
    ".pjpeg": "JPEG",
    ".apng": "PNG",
    ".dib": "BMP",
    ".pbm": "PPM",
    ".pnm": "PPM",
    ".gif": "GIF",
    ".bmp": "BMP",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".ppm": "PPM",
    ".pgm": "PPM",
    ".avif": "AVIF",
    ".avifs": "AVIF",
}


class Damage(Enum):
    """Why a file cannot be used. `rejected` files were left out because of their name or label, without being read."""

    empty = "empty"
    truncated = "truncated"
    unreadable = "unreadable"
    rejected = "rejected"


@dataclass(frozen=True, slots=True)
class Damaged:
    """A file that cannot be used as an image."""

    kind: Damage
    reason: str


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A usable image file, with sizes in pixels.

    `content` is a digest of its bytes. `pixels` is a digest of the picture at full size and in colour, for any format.
    `perceptual` is a hash: if two images look the same, only a few bits differ.
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
    """Inspect an image file.

    Args:
        data: the whole file.
        spec: the form that models see. The perceptual hash is made from that form.
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
        # Read these before decoding, because decoding changes the mode of some images.
        kind, mode, (width, height) = image.format or "unknown", image.mode, image.size
        pixels = _pixel_digest(image)
    return FileFacts(kind, mode, width, height, _digest(data), pixels, _perceptual(seen), cut_off)


def format_of_suffix(name: str) -> str | None:
    """The format that a file's suffix names, or None if it names none."""
    return _FORMAT_OF_SUFFIX.get(os.path.splitext(name)[1].lower())


def _perceptual(seen: np.ndarray) -> bytes:
    # Imported here because it is slow, and only reading images needs it.
    import imagehash

    bits = imagehash.phash(Image.fromarray(seen), hash_size=HASH_SIZE).hash
    return np.packbits(bits).tobytes()


def _pixel_digest(image: Image.Image) -> bytes:
    """A digest that is equal if a viewer shows two images alike, whatever their mode in the file."""
    shown = image
    if image.mode == "I" or image.mode.startswith("I;16"):
        levels = np.asarray(image).astype(np.uint16)
        if (levels % 257).any():  # finer steps than 8 bits can hold
            return _digest(b"16 %d %d " % image.size + levels.tobytes())
        shown = Image.fromarray((levels // 257).astype(np.uint8))
    if shown.has_transparency_data:
        shown = shown.convert("RGBA")
        if shown.getchannel("A").getextrema() != (255, 255):
            return _digest(b"RGBA %d %d " % shown.size + shown.tobytes())
    return _digest(b"RGB %d %d " % shown.size + shown.convert("RGB").tobytes())


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_DIGEST_BYTES).digest()

"""Measure how well perceptual hashes distinguish images, and how little an alteration changes a hash.

Run: python -m benchmarks.near dataset=folder dataset.path=DIR
"""

import io
import random
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import imagehash
import numpy as np
from PIL import Image

from benchmarks.inputs import composed
from captcha_exp.dataset.image_spec import image_spec
from captcha_exp.dataset.sources import open_source
from captcha_exp.prepare.duplicate_images import NEAR_BITS
from captcha_exp.prepare.file_inspection import HASH_SIZE
from captcha_exp.reader.image import ImageSpec, decode_image

_ALTERED = 100  # images
Hash = Callable[[Image.Image], imagehash.ImageHash]


def main() -> int:
    """Print, for several hashes, the fewest bits between two images, and the most between an image and its copies."""
    with tempfile.TemporaryDirectory() as folder:
        config = composed(f"root={folder}", *sys.argv[1:]).dataset
        source = open_source(config, Path(folder))
        files = [source.load(sample.locator) for sample in source.samples]
    spec = image_spec(config)
    seen = [Image.fromarray(decode_image(data, spec)) for data in files]
    drawn = random.Random(0).sample(range(len(files)), min(_ALTERED, len(files)))
    print(f"{len(files)} images; {HASH_SIZE * HASH_SIZE} bits are used, and up to {NEAR_BITS} of them may differ")
    for kind in (imagehash.phash, imagehash.dhash):
        for size in (8, 16):
            tell(f"{kind.__name__} of {size * size} bits", partial(kind, hash_size=size), files, seen, drawn, spec)
    return 0


def tell(name: str, of: Hash, files: list[bytes], seen: list[Image.Image], drawn: list[int], spec: ImageSpec) -> None:
    """Print one hash's figures."""
    words = np.array([packed(of(image)) for image in seen]).view(np.uint64)
    fewest = min(distances(words[row], words[row + 1 :]).min() for row in range(len(words) - 1))
    print(f"{name}: two different images differ in {fewest} bits at least; an altered image differs from the original:")
    moved: dict[str, list[int]] = {}
    for row in drawn:
        for change, data in altered(files[row]).items():
            again = packed(of(Image.fromarray(decode_image(data, spec)))).view(np.uint64)
            moved.setdefault(change, []).append(int(distances(words[row], again[None])[0]))
    for change, bits in moved.items():
        print(f"  {change:24s} in {np.median(bits):.0f} bits (median), {max(bits)} at most")


def altered(data: bytes) -> dict[str, bytes]:
    """Copies of a picture, altered in the usual ways, as image files."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    noise = np.random.default_rng(0).normal(0, 8, (image.height, image.width, 3))
    noisy = (np.asarray(image) + noise).clip(0, 255).astype(np.uint8)
    dot = image.copy()
    dot.putpixel((3, 3), (0, 0, 0))
    changes = {f"JPEG of quality {quality}": encoded(image, "JPEG", quality=quality) for quality in (90, 75, 50)}
    return changes | {
        "a tenth brighter": encoded(image.point(lambda level: min(255, round(level * 1.1)))),
        "half the size": encoded(image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS)),
        "noise of 8 grey levels": encoded(Image.fromarray(noisy)),
        "one black pixel": encoded(dot),
    }


def encoded(image: Image.Image, kind: str = "PNG", **options: int) -> bytes:
    """An image file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def packed(found: imagehash.ImageHash) -> np.ndarray:
    """Bits of a hash as uint8."""
    return np.packbits(found.hash)


def distances(one: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Number of bits in which a hash differs from each of `others`, uint64 (N, W)."""
    return np.bitwise_count(one ^ others).sum(axis=1, dtype=np.int64)


if __name__ == "__main__":
    sys.exit(main())

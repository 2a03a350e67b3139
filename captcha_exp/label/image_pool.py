"""The images of a folder that can be labelled."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from captcha_exp.child_processes import in_chunks
from captcha_exp.config import FolderConfig
from captcha_exp.dataset.decode_images import digest
from captcha_exp.dataset.image_files import ImageFile, ImageFolder, read_file
from captcha_exp.dataset.image_spec import image_spec
from captcha_exp.dataset.progress import Progress
from captcha_exp.dataset.samples import SkippedFile, named, shown
from captcha_exp.errors import InputError, MissingPathError
from captcha_exp.reader.image import ImageSpec, decode_image
from captcha_exp.reader.image_formats import BadImageError

_log = logging.getLogger(__name__)
_OUTSIDE = "a link that leads out of dataset.path"
# Width and height of the grey thumbnails by which images are compared.
_THUMBNAIL = (24, 8)


@dataclass(frozen=True)
class PooledImage:
    """An image of the pool: its name below the folder, its path, and the digest of its file."""

    name: str
    path: str
    digest: str


@dataclass(frozen=True)
class ImagePool:
    """The different readable images of a folder, in natural order of their names.

    `thumbnails` has a row for each, float32 (N, D) in [0, 1].
    """

    images: list[PooledImage]
    thumbnails: np.ndarray


def open_pool(config: FolderConfig) -> ImagePool:
    """List and decode the images of a folder once. What cannot be labelled, and why, is logged in a line.

    Images with equal pixels would be labelled twice, so only the first of them is in the pool.

    Raises:
        InputError: there is no such folder, or no image in it can be read.
    """
    root = Path(config.path).expanduser().resolve()
    if not root.exists():
        raise MissingPathError(f"dataset.path={config.path} does not exist.")
    if not root.is_dir():
        raise InputError(f"dataset.path={config.path} is not a folder; unpack an archive first.")
    listed = ImageFolder(root, _OUTSIDE).images(recursive=config.recursive)
    if not listed:
        hint = "" if config.recursive else "; if its subfolders have, set `dataset.recursive=true`"
        raise InputError(f"dataset.path={config.path} has no image files (.png, .jpg, ...){hint}.")
    problems = {file.name: file.problem or _unwritable(file.name) for file in listed}
    usable = [file for file in listed if problems[file.name] is None]
    skipped = [SkippedFile(shown(name), problem) for name, problem in problems.items() if problem is not None]
    return _different(usable, _inspected(usable, _Inspect(image_spec(config))), skipped, config.path)


def _unwritable(name: str) -> str | None:
    """Why a name would come back from a table as another; None if it would not."""
    if not name.isprintable() or name != name.strip():
        return "its name has line ends or other invisible characters, or a blank at an end; rename it"
    return None


# Digests of a file and its pixels, and its thumbnail; or why it cannot be read.
_Inspected = tuple[str, str, bytes] | str


@dataclass(frozen=True)
class _Inspect:
    """Decodes images. It can be pickled."""

    spec: ImageSpec

    def __call__(self, first: int, paths: Sequence[str]) -> list[_Inspected]:
        return [self._inspected(path) for path in paths]

    def _inspected(self, path: str) -> _Inspected:
        try:
            data = read_file(path)
            pixels = decode_image(data, self.spec)
        except BadImageError as error:
            return str(error)
        thumbnail = Image.fromarray(pixels).convert("L").resize(_THUMBNAIL, Image.Resampling.BOX)
        return digest(data), digest(pixels.tobytes()), thumbnail.tobytes()


def _inspected(
    files: Sequence[ImageFile], inspect: Callable[[int, Sequence[str]], list[_Inspected]]
) -> list[_Inspected]:
    found: list[_Inspected] = []
    with Progress(len(files), "looked at") as progress:
        for chunk in in_chunks(inspect, [file.path for file in files]):
            found += chunk
            progress.update(len(found))
    return found


def _different(
    files: Sequence[ImageFile], inspected: Sequence[_Inspected], skipped: list[SkippedFile], path: str
) -> ImagePool:
    images: list[PooledImage] = []
    thumbnails: list[bytes] = []
    seen: set[str] = set()
    for file, found in zip(files, inspected, strict=True):
        if isinstance(found, str):
            skipped.append(SkippedFile(shown(file.name), found))
        elif found[1] not in seen:
            seen.add(found[1])
            images.append(PooledImage(file.name, file.path, found[0]))
            thumbnails.append(found[2])
    if skipped:
        _log.warning("%d files cannot be labelled: %s", len(skipped), named(skipped))
    copies = len(files) - len(images) - sum(isinstance(found, str) for found in inspected)
    if copies:
        _log.info("%d images are copies of others, pixel by pixel, and are left out", copies)
    if not images:
        raise InputError(f"dataset.path={path} has no image that can be read.")
    grey = np.frombuffer(b"".join(thumbnails), np.uint8).reshape(len(images), -1)
    return ImagePool(images, grey.astype(np.float32) / np.float32(255))

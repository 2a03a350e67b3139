"""A folder of images without labels, decoded like those of a dataset."""

import logging
from pathlib import Path

from captcha_exp.config import DatasetConfig
from captcha_exp.dataset.archive import is_archive, unpacked
from captcha_exp.dataset.cache import load_or_build
from captcha_exp.dataset.image_files import ImageFolder, read_file
from captcha_exp.dataset.image_spec import image_spec
from captcha_exp.dataset.prepared import Split
from captcha_exp.dataset.samples import Sample, SkippedFile, Source, named, shown
from captcha_exp.errors import InputError, MissingPathError

_log = logging.getLogger(__name__)
_KEY = "training.unlabelled"


def unlabelled_images(path: str, config: DatasetConfig, root: Path) -> Split:
    """The images of a folder and its subfolders, or of an archive. Their labels are empty.

    Files that cannot be read are left out and told in a line.

    Args:
        path: as the user typed it.
        config: says the size and form of the decoded images.
        root: the folder that holds `cache/`.

    Raises:
        InputError: there is no such folder, or no image in it can be read.
    """
    folder, cache = Path(path).expanduser().resolve(), root / "cache"
    if not folder.exists():
        raise MissingPathError(f"{_KEY}={path} does not exist.")
    if is_archive(folder):
        folder = unpacked(folder, cache)
    elif not folder.is_dir():
        raise InputError(f"{_KEY}={path} is not a folder of images.")
    try:
        source = _listed(folder)
        cached = load_or_build(source, image_spec(config), cache)
    except OSError as error:
        raise InputError(f"{_KEY}={path} cannot be read ({error.strerror or error}).") from error
    if skipped := [*source.skipped, *cached.skipped]:
        _log.info("unlabelled: %d files cannot be used: %s", len(skipped), named(skipped))
    if not cached.samples:
        raise InputError(f"{_KEY}={path} has no image that can be read.")
    names = [sample.name for sample in cached.samples]
    images = cached.images(image_spec(config))
    return Split("unlabelled", images, [""] * len(names), names, ["unlabelled"] * len(names))


def _listed(folder: Path) -> Source:
    files = ImageFolder(folder, f"a link that leads out of {_KEY}").images(recursive=True)
    samples = [
        Sample(shown(file.name), "", "unlabelled", file.path, file.stamp) for file in files if file.problem is None
    ]
    skipped = [SkippedFile(shown(file.name), file.problem) for file in files if file.problem is not None]
    return Source("unlabelled", str(folder), samples, skipped, read_file)

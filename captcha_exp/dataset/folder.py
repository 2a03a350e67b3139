"""A folder of image files whose names hold the labels."""

import re
from pathlib import Path

from captcha_exp.config import FolderConfig
from captcha_exp.dataset.image_files import ImageFile, ImageFolder, file_sample, read_file, stem
from captcha_exp.dataset.samples import Sample, SkippedFile, Source, shown
from captcha_exp.errors import InputError, MissingPathError

_OUTSIDE = "a link that leads out of dataset.path"


def open_folder(config: FolderConfig) -> Source:
    """The samples of a folder, in natural order of their names.

    A link is followed only if it leads to a place inside the folder.

    Raises:
        InputError: the folder does not exist or holds no images, or the label pattern cannot be used.
    """
    root = Path(config.path).expanduser().resolve()
    if not root.exists():
        raise MissingPathError(f"dataset.path={config.path} does not exist.")
    if not root.is_dir():
        raise InputError(f"dataset.path={config.path} is not a folder; for a table of files use `dataset=manifest`.")
    pattern = _label_pattern(config.label_pattern)
    folder = ImageFolder(root, _OUTSIDE)
    try:
        files = folder.images(recursive=config.recursive)
    except OSError as error:
        raise InputError(f"dataset.path={config.path} cannot be read ({error.strerror}).") from error
    samples, skipped = [], []
    for file in files:
        found = _sample(file, pattern)
        if isinstance(found, Sample):
            samples.append(found)
        else:
            skipped.append(found)
    if not files:
        raise InputError(_nothing_found(config, folder))
    return Source("folder", folder.root, samples, skipped, read_file)


def _sample(file: ImageFile, pattern: re.Pattern[str]) -> Sample | SkippedFile:
    if file.problem is not None:  # it may be a folder, which needs no label
        return SkippedFile(shown(file.name), file.problem)
    match = pattern.fullmatch(stem(file.name))
    if match is None:
        return SkippedFile(shown(file.name), "its name does not match dataset.label_pattern")
    return file_sample(file, file.name, match["label"], "folder")


def _label_pattern(pattern: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise InputError(f"dataset.label_pattern={pattern!r} is not a regular expression: {error}.") from error
    if "label" not in compiled.groupindex:
        raise InputError(
            f"dataset.label_pattern={pattern!r} has no group named label; write the label's part as (?P<label>...)."
        )
    return compiled


def _nothing_found(config: FolderConfig, folder: ImageFolder) -> str:
    message = f"dataset.path={config.path} has no image files (.png, .jpg, ...)"
    if not config.recursive and folder.images(recursive=True):
        return f"{message}, but its subfolders have; set `dataset.recursive=true`."
    return f"{message}."

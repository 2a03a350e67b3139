"""A folder of image files whose names hold the labels."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from captcha_exp.config import FolderConfig
from captcha_exp.dataset.samples import (
    Sample,
    SkippedFile,
    Source,
    file_sample,
    is_image_name,
    natural_key,
    read_file,
    shown,
)
from captcha_exp.errors import InputError, MissingPathError


def open_folder(config: FolderConfig) -> Source:
    """The samples of a folder, in natural order of their names.

    Raises:
        InputError: there is no such folder, it holds no images, or the label pattern cannot be used.
    """
    root = Path(config.path).expanduser().resolve()
    if not root.exists():
        raise MissingPathError(f"dataset.path={config.path} does not exist.")
    if not root.is_dir():
        raise InputError(f"dataset.path={config.path} is not a folder; for a table of files use `dataset=manifest`.")
    pattern = _label_pattern(config.label_pattern)
    try:
        names = sorted(image_names(root, recursive=config.recursive), key=natural_key)
    except OSError as error:
        raise InputError(f"dataset.path={config.path} cannot be read ({error.strerror}).") from error
    samples, skipped = [], []
    for name in names:
        found = _sample(os.path.join(root, name), name, pattern)
        if isinstance(found, Sample):
            samples.append(found)
        else:
            skipped.append(found)
    if not samples and not skipped:
        raise InputError(_nothing_found(config, root))
    return Source("folder", str(root), samples, skipped, read_file)


def image_names(root: Path, *, recursive: bool) -> Iterator[str]:
    """Names, relative to `root`, of everything called like an image; hidden files and folders are left out."""
    if not recursive:
        yield from filter(is_image_name, os.listdir(root))
        return
    for folder, subfolders, files in os.walk(root):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        inside = Path(folder).relative_to(root)
        for name in filter(is_image_name, files):
            yield (inside / name).as_posix()


def _sample(path: str, name: str, pattern: re.Pattern[str]) -> Sample | SkippedFile:
    match = pattern.fullmatch(os.path.splitext(os.path.basename(name))[0])
    if match is None:
        return SkippedFile(shown(name), "its name does not match dataset.label_pattern")
    return file_sample(path, name, match["label"], "folder")


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


def _nothing_found(config: FolderConfig, root: Path) -> str:
    message = f"dataset.path={config.path} has no image files (.png, .jpg, ...)"
    if not config.recursive and next(image_names(root, recursive=True), None) is not None:
        return f"{message}, but its subfolders have; set `dataset.recursive=true`."
    return f"{message}."

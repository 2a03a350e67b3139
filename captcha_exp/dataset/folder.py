"""A folder of image files with labels in their names, in their folders' names, or in texts beside them."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from captcha_exp.config import FolderConfig, LabelFrom
from captcha_exp.dataset.archive import is_archive, unpacked
from captcha_exp.dataset.folder_names import are_labels, are_splits, folder_split
from captcha_exp.dataset.image_files import ImageFile, ImageFolder, file_sample, read_file, stem
from captcha_exp.dataset.label_files import has_label_files, label_beside
from captcha_exp.dataset.name_forms import WHOLE, recognised, typed
from captcha_exp.dataset.parquet_images import parquet_files
from captcha_exp.dataset.samples import Sample, SkippedFile, Source, shown
from captcha_exp.errors import InputError, MissingPathError

_OUTSIDE = "a link that leads out of dataset.path"
_EXAMPLES = 3


def open_folder(config: FolderConfig, cache: Path) -> Source:
    """The samples of a folder or archive, in natural order of their names.

    A link is followed only if it leads to a place inside the folder. An archive is unpacked into `cache` once.

    Raises:
        InputError: the folder does not exist or holds no images, the label pattern cannot be used, or the names show
            that they hold more than labels.
    """
    root = Path(config.path).expanduser().resolve()
    if not root.exists():
        raise MissingPathError(f"dataset.path={config.path} does not exist.")
    uri = str(root)
    if is_archive(root):
        root = unpacked(root, cache)
    elif not root.is_dir():
        raise InputError(f"dataset.path={config.path} is not a folder; for a table of files use `dataset=manifest`.")
    folder = ImageFolder(root, _OUTSIDE)
    in_folders = config.recursive or config.given_splits or config.label_from is LabelFrom.folder
    try:
        files = folder.images(recursive=in_folders)
    except OSError as error:
        raise InputError(f"dataset.path={config.path} cannot be read ({error.strerror}).") from error
    if not files:
        raise InputError(_nothing_found(config, folder))
    return _labelled(config, folder, files, uri if uri != str(root) else folder.root)


def _labelled(config: FolderConfig, folder: ImageFolder, files: Sequence[ImageFile], uri: str) -> Source:
    notes = list(folder.notes)
    label_from = config.label_from
    if label_from is None and folder.label_files:
        if has_label_files(files):
            label_from = LabelFrom.text
            notes.append("labels are in NAME.gt.txt beside the images; `dataset.label_from=name` takes their names")
        else:
            notes.append(
                f"{folder.label_files} files are called NAME.gt.txt, too few for the images; labels are the images' "
                "names (`dataset.label_from=text` takes the texts)"
            )
    pattern = _label_pattern(config.label_pattern)
    if config.label_pattern is None and label_from is not LabelFrom.text:
        _check_names(config, [file.name for file in files if file.problem is None])
    samples, skipped, given = [], [], []
    for file in files:
        found = _sample(file, pattern, label_from or LabelFrom.name)
        if isinstance(found, Sample):
            samples.append(found)
            given.append(folder_split(file.name) or "")
        else:
            skipped.append(found)
    return Source("folder", uri, samples, skipped, read_file, notes, given if any(given) else None)


def _sample(file: ImageFile, pattern: re.Pattern[str], label_from: LabelFrom) -> Sample | SkippedFile:
    if file.problem is not None:  # it may be a folder, which needs no label
        return SkippedFile(shown(file.name), file.problem)
    if label_from is LabelFrom.text:
        label = label_beside(file)
        return label if isinstance(label, SkippedFile) else file_sample(file, file.name, label, "folder")
    text = stem(file.name) if label_from is LabelFrom.name else file.name.rpartition("/")[0].rpartition("/")[2]
    match = pattern.fullmatch(text)
    if match is None:
        which = "name" if label_from is LabelFrom.name else "folder"
        return SkippedFile(shown(file.name), f"its {which} does not match dataset.label_pattern")
    return file_sample(file, file.name, match["label"], "folder")


def _check_names(config: FolderConfig, names: Sequence[str]) -> None:
    """Refuse names of which only a part is the label, as long as the user has not said which."""
    if config.label_from is LabelFrom.folder:
        return
    if config.label_from is None and are_labels(names):
        raise InputError(
            f"{_such_as(names)} look like numbered files in a folder for each label; "
            "set `dataset.label_from=folder` if the folders' names are the labels, else `dataset.label_from=name`."
        )
    form = recognised([stem(name) for name in names])
    if form is not None:
        raise InputError(
            f"The names of the files seem to hold more than the label: {form.reason}. Type {typed(form.pattern)}, "
            f"or {typed(WHOLE)} if the whole name is the label."
        )


def _such_as(names: Sequence[str]) -> str:
    return ", ".join(shown(name) for name in names[:_EXAMPLES])


def _label_pattern(given: str | None) -> re.Pattern[str]:
    pattern = WHOLE if given is None else given
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
    if parquet_files(Path(folder.root)):
        return f"{message}; tables of Parquet are read by `dataset=manifest dataset.path={config.path}`."
    below = [] if config.recursive else [file.name for file in folder.images(recursive=True)]
    if not below:
        return f"{message}."
    if are_splits(below):
        folders = Counter(name.split("/")[0] for name in below)
        named = ", ".join(f"{shown(name)} ({count})" for name, count in sorted(folders.items())[:6])
        return (
            f"{message}, but its subfolders have: {named}. Set `dataset.given_splits=true` to take this division into "
            "train, validation and test, or `dataset.recursive=true` to divide all images anew."
        )
    if are_labels(below):
        return (
            f"{message}, but its subfolders have, such as {_such_as(below)}; set `dataset.label_from=folder` if the "
            "folders' names are the labels, or `dataset.recursive=true` if the files' names are."
        )
    return f"{message}, but its subfolders have; set `dataset.recursive=true`."

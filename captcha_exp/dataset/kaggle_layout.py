"""Finds the images and labels in an unpacked Kaggle set."""

import filecmp
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from captcha_exp.config import LayoutConfig
from captcha_exp.dataset.image_files import ImageFile, ImageFolder, file_sample, stem
from captcha_exp.dataset.samples import Sample, SkippedFile, shown
from captcha_exp.dataset.table_rows import DELIMITERS, read_rows
from captcha_exp.errors import InputError

# Where to search for labels if nothing is known about a set.
_SEARCHED = LayoutConfig(tables=True, label_patterns=[r"(?P<label>[^\W_]+)", r"[0-9]+_(?P<label>[^\W_]+)"])
_LABEL_COLUMNS = ("label", "labels", "text", "captcha", "code", "value", "solution", "answer", "target")
_MAX_COLUMNS = 100  # each column could be the one that names the images
# A rule must explain at least this share of the images, or it is not the layout.
_ENOUGH = 0.9


@dataclass(frozen=True)
class Layout:
    """The samples that were found in a set. `note` summarises them in a few words."""

    samples: list[Sample]
    skipped: list[SkippedFile]
    note: str


def discover(folder: Path, handle: str, layouts: Mapping[str, LayoutConfig]) -> Layout:
    """Find images and labels.

    If a deeper folder has a copy of a file under the same name, the copy is left out.

    Args:
        folder: the unpacked set.
        handle: `owner/name`, with or without a version.
        layouts: where labels are, by `owner/name`. For other sets, this looks first for a table that names the
            images, and then for labels in the names of the files.

    Raises:
        InputError: there are no images, or most of them have no label.
    """
    base = "/".join(handle.split("/")[:2])
    everything = ImageFolder(folder, "a link that leads out of the set").images(recursive=True)
    files = _without_copies(everything)
    names = [file.name for file in files]
    if not names:
        raise InputError(f"Kaggle's {handle} has no image files in {folder}; unpack it and use `dataset=folder`.")
    labels, how = _labels(folder, names, base, layouts.get(base, _SEARCHED))
    samples, skipped = [], []
    for file in files:
        name, label = f"{handle}/{file.name}", labels[file.name]
        found: Sample | SkippedFile = SkippedFile(shown(name), f"{how} give it no label")
        if label is not None or file.problem is not None:
            found = file_sample(file, name, label, handle)
        if isinstance(found, Sample):
            samples.append(found)
        else:
            skipped.append(found)
    copies = len(everything) - len(names)
    left_out = f", {copies} copies in nested folders left out" if copies else ""
    return Layout(samples, skipped, f"{len(names)} images, labels from {how}{left_out}")


def _without_copies(files: Sequence[ImageFile]) -> list[ImageFile]:
    """The files without copies: a copy has the same name and the same bytes as a file in a folder above."""
    usable = {file.name: file.path for file in files if file.problem is None}
    return [file for file in files if "/" not in file.name or not _has_copy_above(file, usable)]


def _has_copy_above(file: ImageFile, usable: dict[str, str]) -> bool:
    path = PurePosixPath(file.name)
    above = [usable[name] for parent in path.parent.parents if (name := str(parent / path.name)) in usable]
    return file.problem is None and any(filecmp.cmp(other, file.path, shallow=False) for other in above)


def _labels(folder: Path, names: Sequence[str], base: str, layout: LayoutConfig) -> tuple[dict[str, str | None], str]:
    """Label of each image (None if the layout gives none), and how the labels were found."""
    first, *others = layout.label_patterns
    if not layout.tables and not others:
        return _labels_from_stems(names, first), "the names of the files"
    for table in sorted(folder.rglob("*")) if layout.tables else ():
        if table.suffix.lower() in DELIMITERS and table.is_file() and not table.is_symlink():
            labels = _labels_from_table(table, names)
            if _explains(labels, names):
                return labels, f"the rows of {table.relative_to(folder)}"
    for pattern in layout.label_patterns:
        labels = _labels_from_stems(names, pattern)
        if _explains(labels, names):
            return labels, "the names of the files"
    raise InputError(
        f"No labels were found for the {len(names)} images of Kaggle's {base}, neither in a table nor in names such as "
        f"{names[0]!r}; it lies in {folder}: use `dataset=folder` with `dataset.label_pattern`, or `dataset=manifest`."
    )


def _labels_from_stems(names: Sequence[str], pattern: str) -> dict[str, str | None]:
    matches = {name: re.fullmatch(pattern, stem(name)) for name in names}
    return {name: match["label"] if match else None for name, match in matches.items()}


def _labels_from_table(table: Path, names: Sequence[str]) -> dict[str, str | None]:
    """Labels from a table with a header. One column names the images, by file name or stem."""
    try:
        rows = [row for _, row in read_rows(table)]
    except InputError:
        return {}  # the table is about something else, or its encoding makes labels unreliable
    if len(rows) < 2 or len(rows[0]) > _MAX_COLUMNS:
        return {}
    header, *body = rows
    stems = {stem(name) for name in names}
    for file_column in range(len(header)):
        listed = {PurePosixPath(row[file_column]).stem: row for row in body if file_column < len(row)}
        label_column = _label_column(header, file_column)
        if label_column is not None and len(stems & listed.keys()) >= _ENOUGH * len(stems):
            # More cells than columns: an unquoted comma has divided the label.
            found = {stem: row[label_column] for stem, row in listed.items() if label_column < len(row) <= len(header)}
            return {name: found.get(stem(name)) for name in names}
    return {}


def _label_column(header: Sequence[str], file_column: int) -> int | None:
    others = [column for column in range(len(header)) if column != file_column]
    named = [column for column in others if header[column].strip().lower() in _LABEL_COLUMNS]
    candidates = named or (others if len(others) == 1 else [])
    return candidates[0] if candidates else None


def _explains(labels: dict[str, str | None], names: Sequence[str]) -> bool:
    return sum(label is not None for label in labels.values()) >= _ENOUGH * len(names)

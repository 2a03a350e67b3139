"""A CSV or TSV table that names image files with their labels."""

from collections.abc import Iterator
from pathlib import Path

from captcha_exp.config import ManifestConfig
from captcha_exp.dataset.image_files import ImageFolder, file_sample, read_file
from captcha_exp.dataset.samples import Sample, SkippedFile, Source, shown
from captcha_exp.dataset.table_rows import read_rows
from captcha_exp.errors import InputError, MissingPathError

_COLUMNS_NAMED = 12


def open_manifest(config: ManifestConfig) -> Source:
    """The samples of a table, in the table's order.

    If the name or a link leads to a file outside the image folder, the row is skipped.

    Raises:
        InputError: the table or the image folder does not exist or cannot be read, or the table has no rows or lacks a
            column.
    """
    table = Path(config.path).expanduser().resolve()
    if not table.exists():
        raise MissingPathError(f"dataset.path={config.path} does not exist.")
    if not table.is_file():
        raise InputError(f"dataset.path={config.path} is not a file; for a folder of images use `dataset=folder`.")
    root = _image_root(config, table)
    images = ImageFolder(root, f"outside {shown(str(root))}; set dataset.image_root to a folder above it")
    samples, skipped = [], []
    for line, file, label in _read(config, table):
        found = _sample(images, line, file, label)
        if isinstance(found, Sample):
            samples.append(found)
        else:
            skipped.append(found)
    if not samples and not skipped:
        raise InputError(f"dataset.path={config.path} has no rows below its header.")
    return Source("manifest", str(table), samples, skipped, read_file)


def _read(config: ManifestConfig, table: Path) -> Iterator[tuple[int, str | None, str | None]]:
    """Line number, file and label of each row. File or label is None if the row is too short."""
    rows = read_rows(table)
    _, header = next(rows, (0, []))
    columns = [_column(config, header, key) for key in ("file_column", "label_column")]
    for line, row in rows:
        file, label = (row[column] if column < len(row) else None for column in columns)
        yield line, file, label


def _column(config: ManifestConfig, header: list[str], key: str) -> int:
    name = getattr(config, key)
    if header.count(name) == 1:
        return header.index(name)
    problem = f"has the column {name!r} {header.count(name)} times" if name in header else f"has no column {name!r}"
    named = ", ".join(repr(shown(column)) for column in header[:_COLUMNS_NAMED])
    more = ", ..." if len(header) > _COLUMNS_NAMED else ""
    raise InputError(
        f"dataset.path={config.path} {problem}; its columns are {named or 'none: it is empty'}{more}. "
        f"Set `dataset.{key}=...`."
    )


def _image_root(config: ManifestConfig, table: Path) -> Path:
    if config.image_root is None:
        return table.parent
    root = Path(config.image_root).expanduser().resolve()
    if not root.is_dir():
        raise MissingPathError(f"dataset.image_root={config.image_root} is not an existing folder.")
    return root


def _sample(images: ImageFolder, line: int, file: str | None, label: str | None) -> Sample | SkippedFile:
    if not file:
        return SkippedFile(f"line {line}", "it names no file")
    return file_sample(images.file(file), file, label, "manifest")

"""A CSV or TSV table that names image files with their labels."""

import csv
import os
from collections.abc import Iterator
from pathlib import Path

from captcha_exp.config import ManifestConfig
from captcha_exp.dataset.samples import Sample, SkippedFile, Source, file_sample, read_file
from captcha_exp.errors import InputError, MissingPathError

DELIMITERS = {".csv": ",", ".tsv": "\t"}
_COLUMNS_NAMED = 12


def open_manifest(config: ManifestConfig) -> Source:
    """The samples of a table, in its own order.

    Raises:
        InputError: there is no such table or image folder, it cannot be read, or it lacks a column or any row.
    """
    table = Path(config.path).expanduser().resolve()
    if not table.exists():
        raise MissingPathError(f"dataset.path={config.path} does not exist.")
    if not table.is_file():
        raise InputError(f"dataset.path={config.path} is not a file; for a folder of images use `dataset=folder`.")
    images = _image_root(config, table)
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


def read_rows(table: Path) -> Iterator[tuple[int, list[str]]]:
    """Number of the last line and cells of each row that is not blank, the header first.

    Raises:
        InputError: the suffix, the encoding or the quoting is not that of a CSV or TSV table in UTF-8.
    """
    delimiter = DELIMITERS.get(table.suffix.lower())
    if delimiter is None:
        raise InputError(f"{table} must end in .csv (commas) or .tsv (tabs), not {table.suffix!r}.")
    line = 0
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            for row in reader:
                line = reader.line_num
                if any(row):
                    yield line, row
    except OSError as error:
        raise InputError(f"{table} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{table} is not in UTF-8 ({error.reason}); save it as CSV UTF-8.") from error
    except csv.Error as error:
        raise InputError(f"{table} cannot be read as a table after line {line}: {error}.") from error


def _read(config: ManifestConfig, table: Path) -> Iterator[tuple[int, str | None, str | None]]:
    """Line number, file and label of each row; None where the row is too short."""
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
    named = ", ".join(repr(column) for column in header[:_COLUMNS_NAMED])
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


def _sample(images: Path, line: int, file: str | None, label: str | None) -> Sample | SkippedFile:
    if not file:
        return SkippedFile(f"line {line}", "it names no file")
    return file_sample(os.path.join(images, file), file, label, "manifest")

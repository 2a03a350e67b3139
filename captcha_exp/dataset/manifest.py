"""A table that names image files with their labels."""

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

from captcha_exp.config import ManifestConfig
from captcha_exp.dataset import table_form
from captcha_exp.dataset.archive import is_archive, unpacked
from captcha_exp.dataset.image_files import ImageFolder
from captcha_exp.dataset.json_rows import JSON_LINES, json_rows
from captcha_exp.dataset.labelled_rows import LabelledRows
from captcha_exp.dataset.row_paths import RowPaths
from captcha_exp.dataset.samples import Source, shown
from captcha_exp.dataset.table_columns import Columns, find_columns
from captcha_exp.dataset.table_rows import DELIMITERS, UNDIVIDED, TableForm, TableRow, find_encoding, table_rows
from captcha_exp.errors import InputError, MissingPathError

# The form of a table is found out from this many rows.
_FIRST_ROWS = 200
_NO_TEXT = (".xlsx", ".xls", ".ods", ".numbers", ".parquet", ".feather", ".pkl", ".pickle", ".npy", ".npz", ".mdb")


def open_manifest(config: ManifestConfig, cache: Path) -> Source:
    """The samples of a table, in the table's order. The table may be the only one in an archive.

    What is not configured is found out and told: encoding, delimiter, header and columns. If the name or a link leads
    to a file outside the image folder, the row is skipped.

    Raises:
        InputError: the table or the image folder does not exist or cannot be read, or the table has no rows or lacks a
            column.
    """
    table = Path(config.path).expanduser().resolve()
    if not table.exists():
        raise MissingPathError(f"dataset.path={config.path} does not exist.")
    place = str(table)
    if is_archive(table):
        table = _only_table(unpacked(table, cache), config)
    if not table.is_file():
        raise InputError(f"dataset.path={config.path} is not a file; for a folder of images use `dataset=folder`.")
    root = _image_root(config, table)
    images = ImageFolder(root, f"outside {shown(str(root))}; set dataset.image_root to a folder above it")
    return _rows_of(config, table, RowPaths(images)).source(images, place)


def _only_table(folder: Path, config: ManifestConfig) -> Path:
    """The one table in an unpacked archive."""
    suffixes = {*DELIMITERS, *JSON_LINES, ".json"}
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in suffixes and path.is_file())
    if len(found) != 1:
        named = f" ({', '.join(str(path.relative_to(folder)) for path in found[:3])})" if found else ""
        raise InputError(
            f"dataset.path={config.path} holds {len(found)} tables{named}; unpack it and name the table, or use "
            "`dataset=folder`."
        )
    return found[0]


def _image_root(config: ManifestConfig, table: Path) -> Path:
    if config.image_root is None:
        return table.parent
    root = Path(config.image_root).expanduser().resolve()
    if not root.is_dir():
        raise MissingPathError(f"dataset.image_root={config.image_root} is not an existing folder.")
    return root


def _rows_of(config: ManifestConfig, table: Path, paths: RowPaths) -> LabelledRows:
    suffix = table.suffix.lower()
    if suffix in _NO_TEXT:
        raise InputError(
            f"{table} must be a table of text (.csv, .tsv, .txt), JSON or JSON lines, not {table.suffix!r}; "
            "save it as CSV UTF-8."
        )
    encoding = find_encoding(table, config.encoding)
    if suffix == ".json" or suffix in JSON_LINES:
        return _rows_of_json(config, table, encoding, paths)
    return _rows_of_text(config, table, encoding, paths)


def _rows_of_json(config: ManifestConfig, table: Path, encoding: str, paths: RowPaths) -> LabelledRows:
    names, rows = json_rows(table, encoding)
    first = list(islice(rows, _FIRST_ROWS))
    form = TableForm(encoding, UNDIVIDED)
    column = table_form.file_column([row.cells for row in first], paths.is_named)
    columns = find_columns([names], column, config, paths.is_named, has_header=True)
    return _settled(config, columns, form, first, rows, paths)


def _rows_of_text(config: ManifestConfig, table: Path, encoding: str, paths: RowPaths) -> LabelledRows:
    texts = (row.text for row in table_rows(table, TableForm(encoding, UNDIVIDED)))
    lines = table_form.first_lines(texts, _FIRST_ROWS)
    spreadsheets = table_form.named_delimiter(lines)  # `sep=;` in a line of its own before the table
    if spreadsheets is not None:
        del lines[0]
        config = config.model_copy(update={"delimiter": config.delimiter or spreadsheets})
    division = table_form.divide(lines, table.suffix, encoding, config, paths.is_named)
    rows = table_rows(table, division.form)
    if spreadsheets is not None:
        next(rows, None)
    first = list(islice(rows, _FIRST_ROWS))
    cells = [row.cells for row in first]
    columns = find_columns(cells, division.column, config, paths.is_named, has_header=config.header)
    if columns.has_header:
        del first[:1]
    usual = table_form.is_usual(division.form, table.suffix)
    return _settled(config, columns, division.form, first, rows, paths, told=not usual)


def _settled(
    config: ManifestConfig,
    columns: Columns,
    form: TableForm,
    first: list[TableRow],
    rows: Iterator[TableRow],
    paths: RowPaths,
    *,
    told: bool = False,
) -> LabelledRows:
    """The rows, with the place of their files found out."""
    files = [row.cells[columns.file].strip() for row in first if columns.file < len(row.cells)]
    paths.settle([file for file in files if file], "`dataset.image_root=...`")
    notes = [f"the table is read {table_form.told(form)}; {columns}"] if told or columns.beyond else []
    return LabelledRows(config.path, columns, form, chain(first, rows), paths, notes)

"""A table that names image files with their labels."""

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path

from captcha_exp.config import ManifestConfig
from captcha_exp.dataset import table_form
from captcha_exp.dataset.archive import is_archive, unpacked
from captcha_exp.dataset.cvat import read_cvat
from captcha_exp.dataset.image_files import ImageFolder
from captcha_exp.dataset.json_rows import JSON_LINES, RecordTable, export_table, json_rows
from captcha_exp.dataset.labelled_rows import LabelledRows
from captcha_exp.dataset.labelling_exports import recognised_rows
from captcha_exp.dataset.parquet_images import PARQUET, parquet_files, parquet_table
from captcha_exp.dataset.row_paths import RowPaths
from captcha_exp.dataset.samples import Source, shown
from captcha_exp.dataset.table_columns import Columns, find_columns
from captcha_exp.dataset.table_rows import DELIMITERS, UNDIVIDED, TableForm, TableRow, find_encoding, table_rows
from captcha_exp.errors import InputError, MissingPathError

# The form of a table is found out from this many rows.
_FIRST_ROWS = 200
# Datumaro keeps its tables in a folder of this name, beside that of the images.
_ANNOTATIONS = "annotations"
_NO_TEXT = (".xlsx", ".xls", ".ods", ".numbers", ".feather", ".arrow", ".pkl", ".pickle", ".npy", ".npz", ".mdb")


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
    parquets = parquet_files(table) if table.is_dir() else [table] if table.suffix.lower() == PARQUET else []
    if not table.is_file() and not parquets:
        raise InputError(f"dataset.path={config.path} is not a file; for a folder of images use `dataset=folder`.")
    if parquets:
        records, within = parquet_table(parquets, cache)
        images = _images_in(within or _image_root(config, parquets[0]))
        return _rows_of_records(config, records, "as Parquet", RowPaths(images)).source(images, place)
    images = _images_in(_image_root(config, table))
    return _rows_of(config, table, RowPaths(images)).source(images, place)


def _images_in(root: Path) -> ImageFolder:
    return ImageFolder(root, f"outside {shown(str(root))}; set dataset.image_root to a folder above it")


def _only_table(folder: Path, config: ManifestConfig) -> Path:
    """The one table in an unpacked archive."""
    if parquet_files(folder):
        return folder
    suffixes = {*DELIMITERS, *JSON_LINES, ".json", ".xml"}
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
        inside = table.parent.name == _ANNOTATIONS and (table.parent.parent / "images").is_dir()
        return table.parent.parent if inside else table.parent
    root = Path(config.image_root).expanduser().resolve()
    if not root.is_dir():
        raise MissingPathError(f"dataset.image_root={config.image_root} is not an existing folder.")
    return root


def _rows_of(config: ManifestConfig, table: Path, paths: RowPaths) -> LabelledRows:
    suffix = table.suffix.lower()
    if suffix in _NO_TEXT:
        raise InputError(
            f"{table} must be a table of text (.csv, .tsv, .txt), JSON, JSON lines, XML of CVAT or Parquet, not "
            f"{table.suffix!r}; save it as CSV UTF-8."
        )
    if suffix == ".xml":
        return _rows_of_records(config, export_table(table, read_cvat(table)), "", paths)
    encoding = find_encoding(table, config.encoding)
    if suffix == ".json" or suffix in JSON_LINES:
        return _rows_of_records(config, json_rows(table, encoding), f"as JSON in {encoding}", paths)
    return _rows_of_text(config, table, encoding, paths)


def _rows_of_records(config: ManifestConfig, records: RecordTable, told: str, paths: RowPaths) -> LabelledRows:
    first = list(islice(records.rows, _FIRST_ROWS))
    column = table_form.file_column([row.cells for row in first], paths.is_named)
    columns = find_columns([records.names], column, config, paths.is_named, has_header=True)
    form = TableForm("utf-8", UNDIVIDED)  # the rows are divided already
    if records.export is None:
        return _settled(config, columns, form, first, records.rows, paths, told if columns.beyond else None)
    told = f"as an export of {records.export.tool}"
    return _settled(config, columns, form, first, records.rows, paths, told, records.export.notes)


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
    export = recognised_rows(table, cells[0], (row.cells for row in chain(first[1:], rows))) if cells else None
    if export is not None:
        return _rows_of_records(config, export_table(table, export), "", paths)
    columns = find_columns(cells, division.column, config, paths.is_named, has_header=config.header)
    if columns.has_header:
        del first[:1]
    usual = table_form.is_usual(division.form, table.suffix)
    told = None if usual and not columns.beyond else table_form.told(division.form)
    return _settled(config, columns, division.form, first, rows, paths, told)


def _settled(
    config: ManifestConfig,
    columns: Columns,
    form: TableForm,
    first: list[TableRow],
    rows: Iterator[TableRow],
    paths: RowPaths,
    told: str | None,
    more: Iterable[str] = (),
) -> LabelledRows:
    """The rows, with the place of their files found out. `told` is how the table is read, None for an ordinary one."""
    files = [row.cells[columns.file].strip() for row in first if columns.file < len(row.cells)]
    paths.settle([file for file in files if file], "`dataset.image_root=...`")
    notes = [] if told is None else [f"the table is read {told}; {columns}"]
    return LabelledRows(config.path, columns, form, chain(first, rows), paths, [*notes, *more])

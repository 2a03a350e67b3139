"""Reads tables of Parquet, also those that hold the images themselves, as Hugging Face writes them."""

import errno
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from captcha_exp.dataset.archive import made_once
from captcha_exp.dataset.folder_names import split_named
from captcha_exp.dataset.json_rows import RecordTable, record_table
from captcha_exp.errors import InputError, first_line
from captcha_exp.reader.image_formats import IMAGE_SUFFIXES, MAX_FILE_BYTES

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

PARQUET = ".parquet"
_MAX_ROWS = 2_000_000
_ROWS_AT_ONCE = 64  # images of so many rows are in memory
# Pictures hardly shrink in Parquet. A table that grows more than this was made to fill the disk.
_MAX_GROWTH = 100
_ALWAYS_ALLOWED = 2**30


def parquet_files(folder: Path) -> list[Path]:
    """The tables of Parquet in a folder and below, in the order of their names."""
    return sorted(path for path in folder.rglob(f"*{PARQUET}") if path.is_file())


def parquet_table(tables: Sequence[Path], cache: Path) -> tuple[RecordTable, Path | None]:
    """The rows of tables of the same columns, and the folder of the images if the tables hold them.

    Images are written into `cache` once. Where a table's name begins with a split, as `train-00000-of-00002.parquet`
    does, that is the value of the column `split`. Numbers of a class are its name.

    Args:
        tables: at least one file.
        cache: the folder of the caches.

    Raises:
        InputError: a table cannot be read, or is too large.
    """
    import pyarrow as pa

    try:
        opened = [_opened(table) for table in tables]
        folder = None if _image_column(opened[0].schema_arrow) is None else _written(tables, cache)
        objects = enumerate(_objects(opened, [table.stem for table in tables], folder), start=1)
        return record_table(tables[0], objects), folder
    except (OSError, pa.ArrowException) as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise  # it is told by the command
        raise InputError(f"{tables[0]} cannot be read as Parquet: {first_line(error)}.") from error


def _opened(table: Path) -> "pq.ParquetFile":
    import pyarrow.parquet as pq

    opened = pq.ParquetFile(table)
    groups = [opened.metadata.row_group(number) for number in range(opened.metadata.num_row_groups)]
    size = sum(group.total_byte_size for group in groups)
    if opened.metadata.num_rows > _MAX_ROWS or size > max(_ALWAYS_ALLOWED, _MAX_GROWTH * table.stat().st_size):
        raise InputError(f"{table} has {opened.metadata.num_rows} rows of {size} bytes in all, too many; divide it.")
    return opened


def _image_column(schema: "pa.Schema") -> str | None:
    """The column that holds images as bytes: a struct with `bytes`, or bytes alone."""
    import pyarrow as pa

    for field in schema:
        kind = field.type
        if pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0:
            return field.name
        if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            return field.name
    return None


def _objects(
    opened: Sequence["pq.ParquetFile"], stems: Sequence[str], written: Path | None
) -> Iterator[dict[str, Any]]:
    """Each row without its image, and the name of the image's file; empty for a row without an image."""
    for number, (table, stem) in enumerate(zip(opened, stems, strict=True)):
        images = _image_column(table.schema_arrow)
        columns = [name for name in table.schema_arrow.names if name != images]
        classes = _class_names(table.schema_arrow)
        word = stem.split("-")[0]
        split = {} if "split" in columns or split_named(word) is None else {"split": word}
        names = {} if written is None else {path.stem: path for path in _place(written, number, len(opened)).iterdir()}
        for place, row in enumerate(_rows(table, columns)):
            file = names.get(f"{place:07d}")
            named = {} if written is None else {"file": "" if file is None else str(file.relative_to(written))}
            yield {**split, **{key: _named(value, classes.get(key)) for key, value in row.items()}, **named}


def _rows(table: "pq.ParquetFile", columns: list[str]) -> Iterator[dict[str, Any]]:
    for batch in table.iter_batches(columns=columns):
        yield from batch.to_pylist()


def _place(written: Path, number: int, tables: int) -> Path:
    """The folder of the images of one table."""
    return written if tables == 1 else written / f"{number:05d}"


def _named(value: Any, names: Sequence[str] | None) -> Any:
    return names[value] if names and isinstance(value, int) and 0 <= value < len(names) else value


def _class_names(schema: "pa.Schema") -> dict[str, list[str]]:
    """The names of classes, by column, that Hugging Face keeps beside the columns."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        return {
            column: [str(name) for name in feature["names"]]
            for column, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
        }
    except (KeyError, TypeError, ValueError):
        return {}


def _images(table: "pq.ParquetFile", column: str) -> Iterator[tuple[bytes | None, str]]:
    """The bytes of each image, and its path."""
    for batch in table.iter_batches(batch_size=_ROWS_AT_ONCE, columns=[column]):
        for value in batch.column(0).to_pylist():
            if isinstance(value, dict):
                yield value.get("bytes"), str(value.get("path") or "")
            else:
                yield value, ""


def _suffix(path: str) -> str:
    suffix = path.rpartition(".")[2].lower()
    return f".{suffix}" if suffix in IMAGE_SUFFIXES else ""


def _written(tables: Sequence[Path], cache: Path) -> Path:
    """The folder of the images of all tables."""

    def write(folder: Path) -> None:
        for number, table in enumerate(map(_opened, tables)):
            column = _image_column(table.schema_arrow)
            if column is None:
                raise InputError(
                    f"{tables[number]} has no column of images, but {tables[0]} has one; read it by itself."
                )
            below = _place(folder, number, len(tables))
            below.mkdir(exist_ok=True)
            for place, (data, path) in enumerate(_images(table, column)):
                if data is not None:  # a file that is too large is refused by its name, like any other
                    (below / f"{place:07d}{_suffix(path)}").write_bytes(data[: MAX_FILE_BYTES + 1])

    stamps = [f"{table} {table.stat().st_size} {table.stat().st_mtime_ns}" for table in tables]
    return made_once("\n".join(stamps), str(tables[0]), cache, write)

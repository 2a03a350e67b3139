"""The samples that the rows of a table name."""

from collections.abc import Iterator, Sequence

from captcha_exp.dataset.image_files import ImageFolder, file_sample, read_file
from captcha_exp.dataset.row_paths import RowPaths
from captcha_exp.dataset.samples import Sample, SkippedFile, Source, shown
from captcha_exp.dataset.table_columns import Columns
from captcha_exp.dataset.table_rows import TableForm, TableRow
from captcha_exp.errors import InputError


class LabelledRows:
    """The rows of a table whose form and columns are known."""

    def __init__(
        self,
        path: str,
        columns: Columns,
        form: TableForm,
        rows: Iterator[TableRow],
        paths: RowPaths,
        notes: Sequence[str],
    ) -> None:
        """`path` is what the user calls the table."""
        self._path, self._columns, self._form, self._rows, self._paths = path, columns, form, rows, paths
        self._notes = notes
        self._joined = self._stripped = 0

    def source(self, images: ImageFolder, uri: str) -> Source:
        """The samples, and the rows that are none.

        Raises:
            InputError: there are no rows.
        """
        samples: list[Sample] = []
        skipped: list[SkippedFile] = []
        given: list[str] = []
        split = self._columns.split
        for row in self._rows:
            found = self._sample(row, images)
            if isinstance(found, Sample):
                samples.append(found)
                given.append((_cell(row, split) or "").strip())
            else:
                skipped.append(found)
        if not samples and not skipped:
            raise InputError(f"dataset.path={self._path} has no rows below its header.")
        notes = [*self._notes, *self._paths.notes, *self._counted()]
        return Source("manifest", uri, samples, skipped, read_file, notes, None if split is None else given)

    def _sample(self, row: TableRow, images: ImageFolder) -> Sample | SkippedFile:
        file, label = _cell(row, self._columns.file), _cell(row, self._columns.label)
        if len(row.cells) > self._columns.width:
            whole = self._with_whole_label(row)
            if whole is None:
                return SkippedFile(f"line {row.line}", self._surplus(row))
            file, label = whole
            self._joined += 1
        file, label = self._plain(file), self._plain(label)
        if not file:
            return SkippedFile(f"line {row.line}", "it names no file")
        place = images.file(self._paths.name_of(file))
        several = row.several.get(self._columns.label)
        if several:
            return SkippedFile(shown(place.name), f"it has {several} different texts instead of one")
        return file_sample(place, place.name, label, "manifest")

    def _plain(self, cell: str | None) -> str | None:
        if cell is None:
            return None
        stripped = cell.strip()
        self._stripped += stripped != cell
        return stripped

    def _with_whole_label(self, row: TableRow) -> tuple[str, str] | None:
        """File and label of a row with more cells than columns; None if it is not sure what belongs to the label.

        Where a table has two columns, one is the file, and what is left is the label.
        """
        if self._columns.width != 2 or not any(row.cells[2:]):
            return None
        first = self._columns.file == 0
        place = (1, len(row.cells)) if first else (0, len(row.cells) - 1)
        label = row.rest(*place, self._form.delimiter)
        return None if label is None else (row.cells[0 if first else -1], label)

    def _surplus(self, row: TableRow) -> str:
        return (
            f"it has {len(row.cells)} cells, but there are {self._columns.width} columns; put its label in quotes, or "
            "set `dataset.delimiter=...`"
        )

    def _counted(self) -> Iterator[str]:
        if self._joined:
            yield (
                f"{self._joined} labels hold the delimiter {self._form.delimiter!r} without quotes; each is read to "
                "the end of its row"
            )
        if self._stripped:
            yield f"blanks around {self._stripped} cells were left out"


def _cell(row: TableRow, column: int | None) -> str | None:
    return row.cells[column] if column is not None and column < len(row.cells) else None

"""Which columns of a table hold files, labels and splits."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from captcha_exp.config import ManifestConfig
from captcha_exp.dataset.image_files import is_image_name
from captcha_exp.dataset.samples import shown
from captcha_exp.errors import InputError

_COLUMNS_NAMED = 12
# The names in conf/dataset/manifest.yaml. Only where they are left as they are, other columns are looked for.
_DEFAULTS = {"file_column": "file", "label_column": "label"}
_FILE_NAMES = frozenset(
    {
        *("filename", "file_name", "filepath", "file_path", "path", "image", "img", "image_path", "img_path"),
        *("imagepath", "image_name", "imagename", "img_name", "image_file", "image_filename", "files"),
        *("images", "picture", "name", "id", "image_id"),
    }
)
_LABEL_NAMES = frozenset(
    {
        *("labels", "text", "words", "word", "transcription", "transcript", "captcha", "caption"),
        *("ground_truth", "gt", "groundtruth", "solution", "answer", "code", "target", "value", "string"),
        *("sentence", "latex", "truth", "suffix"),
    }
)


@dataclass(frozen=True)
class Columns:
    """The columns of a table, counted from 0. `width` is the number of cells that a row should have."""

    names: list[str]
    has_header: bool
    width: int
    file: int
    label: int
    split: int | None

    @property
    def beyond(self) -> bool:
        """Whether other columns than those in the configuration were taken, or no header was found."""
        chosen = {self.names[self.file], self.names[self.label]}
        return not self.has_header or chosen != set(_DEFAULTS.values())

    def __str__(self) -> str:
        file, label = (repr(shown(self.names[column])) for column in (self.file, self.label))
        header = "" if self.has_header else "it has no header; "
        return f"{header}files are in column {file}, labels in column {label}"


def find_columns(
    rows: Sequence[list[str]],
    by_files: int | None,
    config: ManifestConfig,
    is_file: Callable[[str], bool],
    *,
    has_header: bool | None,
) -> Columns:
    """Decide what the columns are.

    Columns are those of the configuration. If the table lacks its default names: the files are where most cells name
    one, or under a usual name; the labels are in the only other column, or under a usual name. A table whose first row
    names a file has no header; its columns are called 1, 2, ...

    Args:
        rows: the first rows.
        by_files: the column whose cells name most files.
        config: the user's keys.
        is_file: whether a cell names a file of the image folder.
        has_header: whether the first row is one; None finds it out.

    Raises:
        InputError: there is no such column, or several may be meant.
    """
    first = [cell.strip() for cell in rows[0]] if rows else []
    if has_header is None:
        has_header = _has_header(first, by_files, config, is_file)
    width = len(first) if has_header or not rows else min(map(len, rows))
    names = first if has_header else [str(number + 1) for number in range(width)]
    split = _split_column(names, config)
    file = _column(names, "file_column", config, [by_files] if by_files is not None else [], _FILE_NAMES)
    others = [column for column in range(width) if column not in {file, split}]
    label = _column(names, "label_column", config, others if len(others) == 1 else [], _LABEL_NAMES)
    if file == label:
        raise InputError(
            f"dataset.path={config.path}: files and labels cannot both be in the column {names[file]!r}; "
            "set `dataset.file_column=...` and `dataset.label_column=...`."
        )
    return Columns(names, has_header, width, file, label, split)


def _has_header(first: list[str], by_files: int | None, config: ManifestConfig, is_file: Callable[[str], bool]) -> bool:
    if not first or {config.file_column, config.label_column} & set(first):
        return True
    if by_files is not None and by_files < len(first):
        return not is_file(first[by_files])
    return not any(is_image_name(cell.replace("\\", "/").rpartition("/")[2]) for cell in first)


def _split_column(names: list[str], config: ManifestConfig) -> int | None:
    found = _matching(names, {config.split_column.casefold()})
    if len(found) != 1 and config.given_splits:
        raise InputError(_refusal(names, config, "split_column", config.split_column))
    return found[0] if len(found) == 1 else None


def _column(names: list[str], key: str, config: ManifestConfig, certain: list[int], usual: frozenset[str]) -> int:
    name = getattr(config, key)
    if names.count(name) == 1:
        return names.index(name)
    alike = _matching(names, {name.casefold()})
    if name == _DEFAULTS[key] and name not in names:
        for found in (alike, certain, _matching(names, usual)):
            if len(found) == 1 and found[0] < len(names):
                return found[0]
    raise InputError(_refusal(names, config, key, name))


def _matching(names: list[str], wanted: Collection[str]) -> list[int]:
    return [column for column, name in enumerate(names) if name.casefold() in wanted]


def _refusal(names: list[str], config: ManifestConfig, key: str, name: str) -> str:
    problem = f"has the column {name!r} {names.count(name)} times" if name in names else f"has no column {name!r}"
    named = ", ".join(repr(shown(column)) for column in names[:_COLUMNS_NAMED])
    more = ", ..." if len(names) > _COLUMNS_NAMED else ""
    return (
        f"dataset.path={config.path} {problem}; its columns are {named or 'none: it is empty'}{more}. "
        f"Set `dataset.{key}=...`."
    )

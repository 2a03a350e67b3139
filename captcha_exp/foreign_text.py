"""Make text from other people safe for terminals, pages, drawings, tables, Markdown, YAML and file names.

Names, labels, reasons and tags come from shared databases and other people's files. Each medium gives some characters a
special meaning. For each medium, one function here removes it; all text for that medium goes through that function.
"""

import csv
import hashlib
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from captcha_exp.errors import joined_lines

# The most characters of a text to show to a person. Files for programs hold the whole text.
MOST_SHOWN = 2_000
_MOST_NAME_BYTES = 120  # half the limit of file systems, because other parts of a name are added
_MOST_FOLDER_BYTES = 200  # the limit is 255, but file names are derived from it
_INTERPOLATION = re.compile(r"(\\*)\$\{")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~&$:])")


def shortened(text: str, most: int = MOST_SHOWN) -> str:
    """The first `most` characters of a text, and a mark that says how many are left out."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most:,} more characters)"


def visible(text: object, keep: str = "") -> str:
    """For a person: a text of limited length, with Python's escapes in place of invisible characters.

    These are characters that move or colour a terminal's cursor, change the direction of writing or end a line; parts
    of characters, such as half of a surrogate pair; and blanks that look like other blanks. Backslashes stay.

    Args:
        text: a text, or any object, which is shown as Python shows it.
        keep: characters without a printable form that stay.
    """
    return "".join(
        character if character.isprintable() or character in keep else _escape(character)
        for character in shortened(str(text))
    )


def escaped(text: str) -> str:
    """For a program that reads lines: the whole text on one line. Python's `unicode_escape` decodes it."""
    return "".join(
        character if character.isprintable() and character != "\\" else _escape(character) for character in text
    )


def csv_row(values: Iterable[object]) -> str:
    """A row of a CSV table, without its line end. Python's `csv` reads it back exactly.

    Formulas begin with `=`, `+`, `-` or `@`, but nothing is put before these: programs read the tables, and a label
    must not change. Users must import the tables into a spreadsheet as text; docs/predict.md says so.
    """
    row = io.StringIO()
    # Python quotes only characters of its own line end, but readers also end a line at a single carriage return.
    csv.writer(row, lineterminator="\r\n").writerow(values)
    return row.getvalue()[:-2]


def csv_table(rows: Iterable[Iterable[object]]) -> str:
    """Rows as `csv_row` writes them, each followed by a line feed."""
    return "".join(f"{csv_row(row)}\n" for row in rows)


def markdown(text: object) -> str:
    """One line of Markdown that shows a text as it is: no emphasis, links, images, lists or HTML."""
    return _MARKDOWN.sub(r"\\\1", visible(joined_lines(text)))


def markdown_code(text: object) -> str:
    """A text as code in a line of Markdown. The fence has more backticks than the text has in a row."""
    line = visible(joined_lines(text))
    fence = "`" * (max(map(len, re.findall("`+", line)), default=0) + 1)
    room = " " if "`" in line else ""
    return f"{fence}{room}{line}{room}{fence}"


def verbatim(value: Any) -> Any:
    """Escape plain nested values, so that OmegaConf resolves none of them: every `${` stays as it is.

    A stored configuration is already resolved. Otherwise, anybody who can write to the store could name environment
    variables of this machine in it, and read them where the values are logged.
    """
    if isinstance(value, str):
        return _INTERPOLATION.sub(lambda found: f"{2 * found[1]}\\${{", value)
    if isinstance(value, Mapping):
        return {key: verbatim(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [verbatim(item) for item in value]
    return value


def file_name(text: str) -> str:
    """A text as part of a file name. Letters, digits and `_.+-` stay, the rest becomes `-`. Never gives `.` or `..`.

    Different texts may give the same name. A name has at most `_MOST_NAME_BYTES` bytes.
    """
    plain = re.sub(r"[^\w.+-]+", "-", text).encode("utf-8", "replace")[:_MOST_NAME_BYTES].decode("utf-8", "ignore")
    return plain if plain.strip(".") else "-"


def is_folder_name(text: str) -> bool:
    """Whether a text can be a folder's name on any system, and is visible in one line."""
    plain = text.isprintable() and text.strip(" .") != "" and not set(text) & set("/\\")
    return plain and len(text.encode()) <= _MOST_FOLDER_BYTES


def identifier(text: str) -> str:
    """An identifier for HTML and SVG: the text itself if it is plain, otherwise its digest."""
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,99}", text):
        return text
    return f"x{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:24]}"


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()

"""Text that somebody else wrote, made fit for a terminal, a page, a drawing, a table, Markdown, YAML or a file's name.

Names, labels, reasons and tags come from shared databases and other people's files. Each medium gives some characters a
meaning of its own; what goes there passes through the one function here that takes the meaning away.
"""

import csv
import hashlib
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

# The most characters of one text that anything shows to a person; files for programs hold the whole.
MOST_SHOWN = 2_000
_MOST_NAME_BYTES = 120  # half of what file systems take, which leaves room for what is put before and behind
_MOST_FOLDER_BYTES = 200  # of 255; files are named after it
_INTERPOLATION = re.compile(r"(\\*)\$\{")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~&$:])")


def shortened(text: str, most: int = MOST_SHOWN) -> str:
    """At most `most` characters of a text, and a mark that tells how many are left out."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most:,} more characters)"


def visible(text: object, keep: str = "") -> str:
    """For a person: a text of bounded length in which Python's escapes stand for what cannot be seen.

    That is what moves a terminal's cursor or colours it, turns the direction of writing or ends a line; what is no
    character at all, like half of a surrogate pair; and blanks that look like another. Backslashes stay as they are.

    Args:
        text: anything; what is no text is shown as Python does.
        keep: characters without a printable form that are to stay nevertheless.
    """
    return "".join(
        character if character.isprintable() or character in keep else _escape(character)
        for character in shortened(str(text))
    )


def escaped(text: str) -> str:
    """For a program that reads lines: the whole text on one, so that Python's `unicode_escape` gives it back."""
    return "".join(
        character if character.isprintable() and character != "\\" else _escape(character) for character in text
    )


def csv_row(values: Iterable[object]) -> str:
    """A row of a CSV table, without its end, which Python's `csv` reads back exactly.

    Nothing is put before `=`, `+`, `-` or `@`, with which formulas begin: programs read these tables, and a label that
    gained a character would be another. In a spreadsheet they are to be imported as text; docs/predict.md says so.
    """
    row = io.StringIO()
    # Python quotes only what the line's own end holds, and readers take a lone carriage return for an end as well.
    csv.writer(row, lineterminator="\r\n").writerow(values)
    return row.getvalue()[:-2]


def csv_table(rows: Iterable[Iterable[object]]) -> str:
    """Rows as `csv_row` writes them, each with a line feed behind it."""
    return "".join(f"{csv_row(row)}\n" for row in rows)


def markdown(text: object) -> str:
    """One line of Markdown that shows a text as it is: no emphasis, links, images, lists or HTML."""
    return _MARKDOWN.sub(r"\\\1", visible(" ".join(str(text).split())))


def markdown_code(text: object) -> str:
    """A text as code within a line of Markdown, fenced by more backticks than it has in a row."""
    line = visible(" ".join(str(text).split()))
    fence = "`" * (max(map(len, re.findall("`+", line)), default=0) + 1)
    room = " " if "`" in line else ""
    return f"{fence}{room}{line}{room}{fence}"


def verbatim(value: Any) -> Any:
    """Plain nested values of which OmegaConf resolves none: every `${` in them stands for itself.

    A configuration that was stored is resolved already. Whoever can write to the store could otherwise name variables
    of this machine's environment in it, and read them where the values are logged.
    """
    if isinstance(value, str):
        return _INTERPOLATION.sub(lambda found: f"{2 * found[1]}\\${{", value)
    if isinstance(value, Mapping):
        return {key: verbatim(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [verbatim(item) for item in value]
    return value


def file_name(text: str) -> str:
    """A text as part of a file's name: letters, digits and `_.+-` stay, anything else becomes `-`; never `.` or `..`.

    Different texts may give the same name, which has at most `_MOST_NAME_BYTES` bytes.
    """
    plain = re.sub(r"[^\w.+-]+", "-", text).encode("utf-8", "replace")[:_MOST_NAME_BYTES].decode("utf-8", "ignore")
    return plain if plain.strip(".") else "-"


def is_folder_name(text: str) -> bool:
    """Whether a text can be the name of a folder as it is, on any system, and be seen in one line."""
    plain = text.isprintable() and text.strip(" .") != "" and not set(text) & set("/\\")
    return plain and len(text.encode()) <= _MOST_FOLDER_BYTES


def identifier(text: str) -> str:
    """An identifier for HTML and SVG, the same for the same text: itself where it is plain, otherwise a digest."""
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,99}", text):
        return text
    return f"x{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:24]}"


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()

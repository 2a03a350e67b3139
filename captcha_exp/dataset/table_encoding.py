"""Finds out how the characters of a table are encoded."""

import codecs
from pathlib import Path

from captcha_exp.errors import InputError

# No table of labels is larger. A larger file is of another kind, or was made to exhaust the machine.
MAX_TABLE_BYTES = 2**29
MAX_LINES = 2_000_000
_BLOCK = 2**20
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # it begins as UTF-16 does, so it is looked for before
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# What spreadsheets wrote before UTF-8. Bytes alone do not tell them apart.
_LEGACY = ("cp1252", "cp1250", "cp1251", "cp1253", "gb18030", "cp932", "big5", "cp949")
_SHOWN = 40


def table_encoding(table: Path, configured: str | None) -> str:
    """The name of a table's encoding, as Python calls it.

    A byte order mark decides, then `configured`. UTF-8 and UTF-16 are found out. Other encodings cannot be told apart,
    so they must be configured.

    Raises:
        InputError: the table is too large, or in none of these encodings.
        OSError: it cannot be read.
    """
    _check_size(table)
    with table.open("rb") as file:
        start = file.read(_BLOCK)
    for mark, name in _MARKS.items():
        if start.startswith(mark):
            return name
    if configured is not None:
        return _known(configured)
    half = _utf_16_without_mark(start[:4096])
    if half is not None:
        return half
    problem = _not_utf_8(table)
    if problem is not None:
        raise InputError(_which(table, *problem))
    return "utf-8"


def _known(configured: str) -> str:
    try:
        if codecs.lookup(configured)._is_text_encoding:
            return configured
    except (LookupError, ValueError):
        pass
    raise InputError(f"dataset.encoding={configured} is no text encoding; examples are utf-8, utf-16, cp1252, gb18030.")


def _check_size(table: Path) -> None:
    size = table.stat().st_size
    if size > MAX_TABLE_BYTES:
        raise InputError(f"{table} is larger than {MAX_TABLE_BYTES >> 20} MiB ({size} bytes); divide it.")
    lines = 0
    with table.open("rb") as file:
        while block := file.read(_BLOCK):
            lines += max(block.count(b"\n"), block.count(b"\r"))
    if lines > MAX_LINES:
        raise InputError(f"{table} has more than {MAX_LINES} lines ({lines}); divide it.")


def _utf_16_without_mark(start: bytes) -> str | None:
    """ASCII in UTF-16 has a NUL in every other byte."""
    even, odd = start[::2], start[1::2]
    if not odd:
        return None
    nul_even, nul_odd = even.count(0) / len(even), odd.count(0) / len(odd)
    if max(nul_even, nul_odd) < 0.4 or min(nul_even, nul_odd) > 0.05:
        return None
    return "utf-16-le" if nul_odd > nul_even else "utf-16-be"


def _not_utf_8(table: Path) -> tuple[int, bytes] | None:
    """Number and bytes of the first line that is not UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with table.open("rb") as file:
        try:
            while block := file.read(_BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
            return None
        except UnicodeDecodeError:
            file.seek(0)
    with table.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(_BLOCK), b""), start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return number, line
    return 1, b""


def _which(table: Path, number: int, line: bytes) -> str:
    """The line that asks for the encoding and shows what each would read."""
    readings: dict[str, str] = {}
    for name in _LEGACY:
        try:
            text = line.decode(name).strip()
        except UnicodeDecodeError:
            continue
        if text.isprintable() or "\t" in text:
            readings.setdefault(text[-_SHOWN:], name)
    shown = ", ".join(f"`dataset.encoding={name}` reads {text!r}" for text, name in readings.items())
    return (
        f"{table} is not in UTF-8 (line {number}), and its bytes do not say in which encoding: {shown or 'none fits'}. "
        "Set the one that is right, or save it as CSV UTF-8."
    )

"""Finds fonts of this machine for the characters that Matplotlib's own font lacks."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from unicodedata import combining, east_asian_width

from matplotlib.font_manager import fontManager
from matplotlib.ft2font import FT2Font

from captcha_exp.foreign_text import visible

MONOSPACE = "DejaVu Sans Mono"  # part of Matplotlib; 0 and O look different in it, and so do 1, l and I
# Fonts that hold boxes, or other characters than their tables say.
_NO_LETTERS = ("Last Resort", "cm", "STIXSize", "STIXNonUnicode", "Noto Color Emoji", "Symbol", "Wingdings", "Webdings")
_REGULAR = range(300, 501)
_MOST_FONTS = 500


def drawable(text: str) -> str:
    """A text as figures show it: blanks and invisible characters marked, and code points where no font has a glyph."""
    return "".join(_drawable(character) for character in text)


def families(texts: Iterable[str]) -> list[str]:
    """The fonts that together have all characters of some texts, as Matplotlib's `family`."""
    needed = dict.fromkeys(_family(character) for text in texts for character in text)
    return list(dict.fromkeys([MONOSPACE, *(family for family in needed if family is not None)]))


def drawn_width(text: str) -> int:
    """How many characters of `MONOSPACE` are as wide as a text."""
    return sum(2 if east_asian_width(one) in "WF" else not combining(one) for one in text)


def _drawable(character: str) -> str:
    if character == " ":
        return "␣"
    seen = visible(character)
    return seen if seen != character or _family(character) is not None else f"U+{ord(character):04X}"


@cache
def _family(character: str) -> str | None:
    """The first font that has a character; None if no font has it."""
    return next((family for family, glyphs in _fonts() if ord(character) in glyphs), None)


def _fonts() -> Iterator[tuple[str, Mapping[int, int]]]:
    """Each regular font and its glyphs, as far as they are asked for."""
    for family, path in _regular_fonts():
        yield family, _glyphs(path)


@cache
def _glyphs(path: str) -> Mapping[int, int]:
    try:
        return FT2Font(path).get_charmap()
    except (OSError, RuntimeError):  # the file is gone or damaged
        return {}


@cache
def _regular_fonts() -> list[tuple[str, str]]:
    """Families and files of the regular fonts: `MONOSPACE`, then others of equal width, then those without serifs."""
    found: dict[str, str] = {}
    for font in fontManager.ttflist:
        weight = font.weight if isinstance(font.weight, int) else 400
        if font.style == "normal" and weight in _REGULAR and not font.name.startswith(_NO_LETTERS):
            found.setdefault(font.name, font.fname)
    return sorted(found.items(), key=_rank)[:_MOST_FONTS]


def _rank(font: tuple[str, str]) -> tuple[bool, bool, bool, str]:
    name = font[0]
    return name != MONOSPACE, "Mono" not in name, "Sans" not in name, name

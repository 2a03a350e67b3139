"""Font files: fonts from installed packages, and the user's own."""

import importlib.util
from functools import cache, lru_cache
from pathlib import Path

from PIL import ImageFont

from captcha_exp.errors import InputError

_DEJAVU = ("Sans", "Sans-Bold", "Sans-Oblique", "Sans-BoldOblique", "SansMono", "SansMono-Bold", "SansMono-Oblique")
_DEJAVU_SERIF = ("Serif", "Serif-Bold", "Serif-Italic", "Serif-BoldItalic")
_STIX = ("STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "STIXGeneralBolIta")
_COMPUTER_MODERN = ("cmr10", "cmb10", "cmss10", "cmtt10")
_MATPLOTLIB = (*(f"DejaVu{face}" for face in (*_DEJAVU, *_DEJAVU_SERIF)), *_STIX, *_COMPUTER_MODERN)
SHIPPED = (*_MATPLOTLIB, "DroidSansMono")
# A noncharacter. A font draws it in the same way as every character that it lacks.
_NOBODYS = "\uffff"
_PROBE_SIZE = 24


def font_file(name: str, key: str) -> str:
    """Path of a shipped font by its name, or of the user's own file.

    Args:
        name: one of `SHIPPED`, or a path.
        key: the configuration key, for messages.

    Raises:
        InputError: the font does not exist, or the file is not a font.
    """
    if name in SHIPPED:
        return str(_shipped_folder(name) / f"{name}.ttf")
    path = Path(name).expanduser().resolve()
    if not path.is_file():
        raise InputError(f"{key} has {name!r}, which is neither a file nor a shipped font ({', '.join(SHIPPED)}).")
    try:
        load_font(str(path), _PROBE_SIZE)
    except OSError as error:
        raise InputError(f"{key} has {name!r}, which is not readable as a font ({error}).") from error
    return str(path)


@lru_cache(maxsize=4_096)
def load_font(path: str, size: int) -> ImageFont.FreeTypeFont:
    """An opened font at a size in pixels."""
    # Use the basic layout engine: characters are placed one by one, and Raqm is not installed everywhere.
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


@cache
def can_draw(path: str, character: str) -> bool:
    """Whether a font has a character: it must draw it in another way than a character that no font has."""
    drawn = _probe(path, character)
    return any(drawn) and drawn != _probe(path, _NOBODYS)


@cache
def _probe(path: str, character: str) -> bytes:
    return bytes(load_font(path, _PROBE_SIZE).getmask(character))


@cache
def _shipped_folder(name: str) -> Path:
    # find_spec does not run the package. Importing Matplotlib would take longer than rendering a thousand images.
    package, inside = ("matplotlib", "mpl-data/fonts/ttf") if name in _MATPLOTLIB else ("captcha", "data")
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"dataset=styled needs the package `{package}`.", name=package)
    return Path(spec.origin).parent / inside

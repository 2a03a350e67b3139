"""Figures of labels, predictions and origins that a formula, an SVG file or a font could take for something else."""

import io
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.font_manager import FontEntry, fontManager
from matplotlib.text import Text

from captcha_exp.figures import accuracy_by_part, character_confusion, prediction_sheet
from captcha_exp.figures.character_fonts import _family, _regular_fonts, drawable, drawn_width, families
from tests.hostile_text import HOSTILE_TEXT

# As long as a label can be; what has no line of its own is drawn on one.
TEXTS = [text[:256] for text in HOSTILE_TEXT.values()]


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_any_text_can_be_drawn(suffix: str) -> None:
    predictions = [*TEXTS[1:], TEXTS[0]]
    images = np.full((len(TEXTS), 8, 24), 255, np.uint8)
    figures = [
        prediction_sheet(images, TEXTS, predictions, [0.5] * len(TEXTS), len(TEXTS)),
        character_confusion(TEXTS, predictions),
        accuracy_by_part({"origin": [(text, 9, 0.5, 0.4, 0.6) for text in TEXTS]}),
    ]
    for figure in figures:
        drawn = io.BytesIO()
        figure.savefig(drawn, format=suffix)
        assert 0 < len(drawn.getvalue()) < 5_000_000


def test_a_formula_is_drawn_as_it_is_written() -> None:
    images = np.full((1, 8, 24), 255, np.uint8)
    figure = prediction_sheet(images, ["$x^2$"], ["$$"], [0.5], 1)
    texts = {text.get_text(): text for axes in figure.axes for text in axes.texts}
    assert {"$x^2$", "$$"} <= set(texts)
    assert not texts["$x^2$"].get_parse_math()


def written_by(figure: Figure) -> set[str]:
    return {text.get_text() for text in figure.findobj(Text)}  # type: ignore[attr-defined]


@pytest.mark.filterwarnings("error:Glyph")
def test_no_script_is_drawn_as_empty_boxes() -> None:
    """Hebrew is in a second font of Matplotlib's own. A character that no font has is told by its code point."""
    texts = ["京A1", "של1", "\U0010fffda"]
    images = np.full((3, 8, 24), 255, np.uint8)
    sheet = prediction_sheet(images, texts, [*texts[1:], texts[0]], [0.5] * 3, 3)
    confusion = character_confusion(texts, ["1A1", "של京", "ש"])
    bars = accuracy_by_part({"origin": [(text, 9, 0.5, 0.4, 0.6) for text in texts]})
    for figure in (sheet, confusion, bars):
        figure.savefig(io.BytesIO(), format="png")
    assert "של1" in written_by(sheet) & written_by(bars)
    assert r"\U0010fffda" in written_by(sheet)
    assert families(["של1"]) == ["DejaVu Sans Mono", "DejaVu Sans"]
    assert families(["京"]) == ["DejaVu Sans Mono"] or drawable("京") == "京"


def test_a_character_without_a_glyph_is_its_code_point_and_a_font_of_the_machine_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own = [font for font in fontManager.ttflist if font.name.startswith("DejaVu")]
    monkeypatch.setattr(fontManager, "ttflist", own)
    forget()
    assert (drawable("中 A"), families([drawable("中 A")])) == ("U+4E2D␣A", ["DejaVu Sans Mono"])
    font = font_with("中", tmp_path / "chinese.ttf")
    monkeypatch.setattr(fontManager, "ttflist", [*own, font])
    forget()
    assert (drawable("中A"), families(["中A"])) == ("中A", ["DejaVu Sans Mono", "Test Sans"])
    assert drawn_width("中A") == 3
    monkeypatch.undo()
    forget()


def forget() -> None:
    _regular_fonts.cache_clear()
    _family.cache_clear()


def font_with(character: str, path: Path) -> FontEntry:
    """A font of one character."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.ttLib.tables._g_l_y_f import Glyph

    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "one"])
    builder.setupCharacterMap({ord(character): "one"})
    builder.setupGlyf({".notdef": Glyph(), "one": Glyph()})
    builder.setupHorizontalMetrics({".notdef": (500, 0), "one": (1000, 0)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Test Sans", "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=800, usWinAscent=800, usWinDescent=200)
    builder.setupPost()
    builder.save(path)
    return FontEntry(fname=str(path), name="Test Sans", style="normal", weight=400)

"""Figures of labels, predictions and origins that a formula, an SVG file or a font could take for something else."""

import io

import numpy as np
import pytest

from captcha_exp.figures import accuracy_by_part, character_confusion, prediction_sheet
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

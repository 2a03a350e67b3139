"""Pictures of an evaluation are whole in every case that one can bring."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from captcha_exp.figures import accuracy_by_part, corruption_sheet, coverage_curve, reliability_diagram

_spec = importlib.util.spec_from_file_location("figure_checks", Path(__file__).with_name("test_figures.py"))
assert _spec is not None and _spec.loader is not None
_checks = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_checks)
assert_nothing_overlaps, drawn, words = _checks.assert_nothing_overlaps, _checks.drawn, _checks.words

BINS = [(0.15, 0.0, 1), (0.55, 0.4, 10), (0.98, 1.0, 400)]


def test_a_reliability_diagram_tells_the_error_before_and_after() -> None:
    figure = reliability_diagram(BINS, 0.123, (BINS[1:], 0.045, 1.7))
    assert "As read: calibration error 12.3%" in words(figure)
    assert "At temperature 1.70: 4.5%" in words(figure)
    assert "texts read right (share), 411 in all" in words(figure)
    assert "one of ten parts of the confidence\n(area: its images, 400 at most)" in words(figure)
    drawn(figure)


def test_a_reliability_diagram_needs_no_temperature() -> None:
    figure = reliability_diagram(BINS[:1], 0.15, None)
    assert len(figure.axes) == 1
    drawn(figure)


@pytest.mark.parametrize("chosen", [None, (0.75, 1.0)])
@pytest.mark.parametrize("curve", [([1.0], [0.0]), ([0.25, 0.5, 1.0], [1.0, 1.0, 0.98])])
def test_a_coverage_curve_ends_with_what_all_images_give(
    curve: tuple[list[float], list[float]], chosen: tuple[float, float] | None
) -> None:
    figure = coverage_curve(*curve, 1200, 0.99, chosen)
    assert any(word.endswith(f"of all 1,200: {curve[1][-1]:.1%}") for word in words(figure))
    assert "aim: 99% right" in words(figure)
    assert ("confidence that validation images chose: reads 75.0%, 100.0% of them right" in words(figure)) == (
        chosen is not None
    )
    drawn(figure)


@pytest.mark.parametrize("names", [["3"], ["4", "5", "12"], ["a photo of plates", "meters"], list("$ {a}Zz")])
def test_parts_have_their_names_and_sizes(names: list[str]) -> None:
    rows = [(name, 10 + index, 0.9, 0.8, 0.95) for index, name in enumerate(names)]
    figure = accuracy_by_part({"Texts read right": rows, "Characters read right": [("a", 7, 1.0, 0.6, 1.0)]})
    assert {"Characters read right, of 7 each", "share right, 95% interval"} <= set(words(figure))
    drawn(figure)


@pytest.mark.parametrize("size", [(40, 150), (64, 32), (16, 300)])
def test_a_corruption_sheet_shows_each_level_with_its_accuracy(size: tuple[int, int]) -> None:
    image = np.full(size, 128, np.uint8)
    accuracy = {"blur": [0.9, 0.8, 0.7, 0.6, 0.5], "noise": [0.4, 0.3, 0.2, 0.1, 0.0]}
    levels = {"blur": ["1", "2", "3", "4", "5"], "noise": ["8", "16", "32", "48", "64"]}
    figure = corruption_sheet({name: [image] * 5 for name in accuracy}, accuracy, levels, image, 0.95, 800)
    assert {"90.0%", "50.0%", "0.0%", "blur", "noise", "1", "64"} <= set(words(figure))
    assert any(word.startswith("as it is: 95.0% of 800 texts right; mean of all below 45.0%") for word in words(figure))
    assert_nothing_overlaps(figure)

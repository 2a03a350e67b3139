"""Decoding against plain references."""

import numpy as np
import pytest

from captcha_exp.reader.decoding import decode
from tests.reader.decoding.references import collapse, exhaustive, random_probabilities

CHARACTERS = "abc"
GREEDY = None  # no beam


def test_greedy_equals_the_reference_on_random_inputs() -> None:
    probabilities = random_probabilities(0, 200, 17, 4)
    for row, prediction in zip(probabilities, decode(probabilities, CHARACTERS, GREEDY), strict=True):
        path = tuple(int(np.argmax(step)) for step in row)
        assert prediction.text == collapse(path, CHARACTERS)


def test_the_confidence_of_greedy_decoding_is_the_sum_over_all_alignments() -> None:
    """It once counted the best alignment alone, so greedy and beam search gave one text two confidences."""
    probabilities = random_probabilities(5, 25, 6, 4)
    for row, prediction in zip(probabilities, decode(probabilities, CHARACTERS, GREEDY), strict=True):
        assert prediction.confidence == pytest.approx(exhaustive(row, CHARACTERS)[prediction.text], rel=1e-6)


def test_greedy_merges_repeats_unless_a_blank_parts_them() -> None:
    path = [1, 1, 0, 1, 2, 2, 0, 0, 3]
    assert decode(np.eye(4, dtype=np.float32)[[path]], CHARACTERS, GREEDY)[0].text == "aabc"


def test_only_blanks_are_an_empty_text() -> None:
    probabilities = np.eye(4, dtype=np.float32)[[[0] * 5]]
    for beam_width in (GREEDY, 4):
        prediction = decode(probabilities, CHARACTERS, beam_width)[0]
        assert prediction.text == ""
        assert prediction.confidence == pytest.approx(1.0)


@pytest.mark.parametrize("seed", range(4))
def test_a_wide_beam_equals_the_sum_over_all_alignments(seed: int) -> None:
    probabilities = random_probabilities(seed, 25, 6, 4)
    for row, prediction in zip(probabilities, decode(probabilities, CHARACTERS, 500), strict=True):
        texts = exhaustive(row, CHARACTERS)
        best = max(texts, key=texts.__getitem__)
        assert prediction.text == best
        assert prediction.confidence == pytest.approx(texts[best], rel=1e-4)


def test_the_beam_finds_a_text_that_greedy_misses() -> None:
    # Best alignment: blank, blank at 0.36; but "a" sums to 0.4 * 0.4 + 2 * 0.4 * 0.6 = 0.64.
    probabilities = np.array([[[0.6, 0.4], [0.6, 0.4]]], np.float32)
    greedy, searched = (decode(probabilities, "a", beam_width)[0] for beam_width in (GREEDY, 3))
    assert (greedy.text, greedy.confidence) == ("", pytest.approx(0.36))
    assert (searched.text, searched.confidence) == ("a", pytest.approx(0.64, rel=1e-4))


def test_texts_of_different_length_in_one_batch_stay_apart() -> None:
    paths = [[1, 0, 2, 0, 3], [0, 0, 0, 0, 0], [0, 2, 2, 2, 0]]
    for beam_width in (GREEDY, 4):
        texts = [p.text for p in decode(np.eye(4, dtype=np.float32)[paths], CHARACTERS, beam_width)]
        assert texts == ["abc", "", "b"]

"""Where a text was read, against every path."""

from itertools import groupby, product

import numpy as np
import pytest

from captcha_exp.serve.alignment import align


@pytest.mark.parametrize("text", [[], [1], [1, 1], [1, 2], [2, 1, 2], [1, 1, 2]])
@pytest.mark.parametrize("seed", range(5))
def test_the_alignment_is_that_of_the_likeliest_path(text: list[int], seed: int) -> None:
    steps = 6
    probabilities = np.random.default_rng(seed).dirichlet(np.ones(3), steps)
    paths = [path for path in product(range(3), repeat=steps) if [c for c, _ in groupby(path) if c] == text]
    best = max(paths, key=lambda path: np.prod([probabilities[t, c] for t, c in enumerate(path)]))
    spans, step = [], 0
    for char, run in groupby(best):
        length = len(list(run))
        if char:
            spans.append((step, step + length - 1))
        step += length
    assert align(probabilities, text) == spans


def test_a_text_that_fills_every_step_is_aligned() -> None:
    assert align(np.full((3, 4), 0.25), [1, 2, 3]) == [(0, 0), (1, 1), (2, 2)]
    assert align(np.eye(3)[[1, 0, 1]], [1, 1]) == [(0, 0), (2, 2)]

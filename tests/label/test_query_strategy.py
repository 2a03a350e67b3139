"""Which images are asked for."""

import numpy as np

from captcha_exp.dataset.decode_images import digest
from captcha_exp.label.query_strategy import held_out, most_worth

DIGESTS = [digest(bytes([number])) for number in range(200)]


def test_the_share_for_the_test_is_that_of_the_smallest_digests() -> None:
    chosen = held_out(DIGESTS, 5)
    assert sorted(DIGESTS)[:40] == [DIGESTS[place] for place in chosen]
    assert held_out(DIGESTS, None) == []


def test_images_that_come_later_change_the_test_by_their_share_alone() -> None:
    before, after = ({DIGESTS[place] for place in held_out(DIGESTS[:count], 5)} for count in (100, 200))
    assert (len(before), len(after)) == (20, 40)
    assert sorted(before | after)[:40] == sorted(after)


def test_the_least_certain_are_asked_for() -> None:
    confidences = np.linspace(0, 1, 100)
    thumbnails = np.random.default_rng(0).random((100, 4))
    assert set(most_worth(range(100), confidences, thumbnails, [], 4)) <= set(range(32))
    thumbnails[90:] = 9  # what looks most different is what the model is surest of
    assert set(most_worth(range(100), confidences, thumbnails, [0], 4)) <= set(range(25))
    assert set(most_worth(range(50, 100), confidences, thumbnails, [], 50)) == set(range(50, 100))


def test_equals_are_not_asked_for_together_and_what_is_known_not_again() -> None:
    """Three kinds of images, ten of each; one kind has a label."""
    thumbnails = np.tile(np.eye(3), (10, 1))
    chosen = most_worth(range(1, 30), None, thumbnails, [0], 4)
    assert {place % 3 for place in chosen[:2]} == {1, 2}


def test_without_a_model_the_first_candidates_are_taken_and_none_twice() -> None:
    thumbnails = np.zeros((100, 4))  # all alike
    chosen = most_worth([7, 3, 5], None, thumbnails, [1], 32)
    assert sorted(chosen) == [3, 5, 7]
    assert most_worth([], None, thumbnails, [1], 32) == []

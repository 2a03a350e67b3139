"""Figures of few images are told with what they cannot show."""

import pytest

from captcha_exp.metrics.comparison import mcnemar_p
from captcha_exp.metrics.few_images import few_images, visible_texts


def test_the_number_and_the_next_step_are_told() -> None:
    assert few_images(30, "validation", random_start=True) == (
        "30 validation images: one text is 3.3 points; differences below 20 points can't be seen (two models must "
        "differ by 6 texts, or it may be chance). Next: label more images, test in folds (dataset.test_fraction=0.2 "
        "dataset.test_fold=0, then 1, 2, 3, 4) or start from the weights that come with the package, which need fewer "
        "(+experiment=pretrained)"
    )


@pytest.mark.parametrize(
    ("images", "few"), [(0, False), (1, True), (5, True), (119, True), (120, False), (5000, False)]
)
def test_only_few_images_are_told(images: int, few: bool) -> None:
    assert (few_images(images, "test") is not None) == few


def test_a_difference_that_can_be_seen_is_the_least_that_is_hardly_chance() -> None:
    assert mcnemar_p(visible_texts(), 0) < 0.05 <= mcnemar_p(visible_texts() - 1, 0)


def test_fewer_images_than_that_show_nothing() -> None:
    told = few_images(4, "test", rendered=True)
    assert told is not None
    assert told.startswith("4 test images: one text is 25 points; no difference can be seen")
    assert "render more (dataset.size=...)" in told and "+experiment=pretrained" not in told

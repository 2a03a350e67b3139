"""What a user is told if figures come from few images."""

from itertools import count

from captcha_exp.metrics.comparison import mcnemar_p
from captcha_exp.metrics.intervals import LEVEL

# A set of images is small if it hides differences of this size, as a share.
_HIDDEN = 0.05


def visible_texts() -> int:
    """The least number of texts by which a model must be ahead on the same images, so that it is hardly chance.

    With fewer, McNemar's exact test does not reach `LEVEL` even if the other model reads nothing better.
    """
    return next(texts for texts in count(1) if mcnemar_p(texts, 0) < 1 - LEVEL)


def few_images(images: int, split: str, *, rendered: bool = False, random_start: bool = False) -> str | None:
    """The sentence that tells what so few images cannot show, and what to do; None if there are enough, or none.

    Args:
        images: how many judge a model.
        split: what they are, e.g. "validation".
        rendered: whether images are rendered, and not labelled by a person.
        random_start: whether a training on them starts from random weights.
    """
    texts = visible_texts()
    if not images or texts / images <= _HIDDEN:
        return None
    unseen = (
        "no difference can be seen" if texts > images else f"differences below {_points(texts, images)} can't be seen"
    )
    steps = ["render more (dataset.size=...)" if rendered else "label more images"]
    steps.append("test in folds (dataset.test_fraction=0.2 dataset.test_fold=0, then 1, 2, 3, 4)")
    if random_start:
        steps.append("start from the weights that come with the package, which need fewer (+experiment=pretrained)")
    return (
        f"{images} {split} image{'' if images == 1 else 's'}: one text is {_points(1, images)}; {unseen} (two models "
        f"must differ by {texts} texts, or it may be chance). Next: {', '.join(steps[:-1])} or {steps[-1]}"
    )


def _points(texts: int, images: int) -> str:
    """A share in points, without decimals from 10 on."""
    points = 100 * texts / images
    return f"{points:.0f} points" if points >= 10 else f"{points:.1f} points"

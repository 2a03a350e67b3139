"""Lines about what was done with unusual labels and images of a dataset."""

from collections import Counter
from collections.abc import Iterator
from itertools import chain
from unicodedata import bidirectional

from captcha_exp.config import DatasetConfig
from captcha_exp.dataset.cached_samples import Cached
from captcha_exp.dataset.label_checks import kept_letters, unseen_characters

# A character is hardly learnt from fewer labels.
_FEW = 3
_MANY_RARE = 0.1
# Unicode's classes of letters that are written from right to left, as those of Hebrew and Arabic.
_FROM_THE_RIGHT = ("R", "AL")


def told_of_labels(characters: str, learnt: list[str], labels: list[str], config: DatasetConfig) -> Iterator[str]:
    """Characters that cannot be learnt, and letters that keep their case.

    Args:
        characters: the vocabulary.
        learnt: the training labels.
        labels: all labels.
        config: of the dataset.
    """
    unseen = unseen_characters(characters, learnt) if learnt else None
    if unseen is not None:
        yield unseen
    counts = Counter(chain.from_iterable(map(set, learnt)))
    rare = sum(count < _FEW for count in counts.values())
    if rare > _MANY_RARE * len(counts):
        yield f"{rare} of the {len(counts)} characters in the training labels are in fewer than {_FEW} of them"
    from_the_right = sum(
        not label.isascii() and any(bidirectional(one) in _FROM_THE_RIGHT for one in label) for label in labels
    )
    if from_the_right:
        yield (
            f"{from_the_right} labels have letters that are written from right to left; they are learnt as they are "
            "typed, but a network reads images from left to right: see `Right to left` in docs/data.md"
        )
    kept = kept_letters(labels, config.label_case)
    if kept:
        yield f"dataset.label_case={config.label_case.value} leaves {kept} alone: each would become several letters"


def told_of_images(cached: Cached, config: DatasetConfig) -> Iterator[str]:
    """Images that would show nothing if they were read like others."""
    frames, transparent, blank = (cached.unusual.get(kind, 0) for kind in ("frame", "background", "blank"))
    if frames:
        yield f"{frames} images show nothing in their first frame; the frame with the most contrast was read"
    if transparent:
        opposite = 255 if config.background < 128 else 0
        yield (
            f"{transparent} images show nothing on dataset.background={config.background}; they were put on {opposite} "
            "(dataset.background sets the grey level behind transparent pixels)"
        )
    if blank:
        yield f"{blank} images show nothing, in no frame and on no background"

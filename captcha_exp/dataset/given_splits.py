"""The division that a dataset comes with."""

from collections import Counter
from collections.abc import Sequence

from captcha_exp.config import DatasetConfig, EqualLabels, Leaks
from captcha_exp.dataset.folder_names import split_named
from captcha_exp.dataset.split import SPLIT_NAMES, split_samples
from captcha_exp.errors import InputError

_NAMED = 3
# What an image has in common with one of a split named earlier here is a leak: the test images stay as they are.
_ORDER = ("test", "validation", "train")


def summary(given: Sequence[str]) -> str | None:
    """The splits of a source with their sizes, in its own words; None unless there are several."""
    sizes = Counter(word for word in given if split_named(word) is not None)
    if len({split_named(word) for word in sizes}) < 2:
        return None
    return ", ".join(f"{count} {word}" for word, count in sorted(sizes.items()))


def given_division(
    given: Sequence[str], labels: Sequence[str], pixels: Sequence[int], names: Sequence[str], config: DatasetConfig
) -> tuple[dict[str, list[int]], list[str]]:
    """The splits of a source, without leaks, and lines for the user.

    If the source has no validation split, `dataset.validation_fraction` of its training images becomes one.

    Args:
        given: the source's own word for the split of each sample.
        labels: of the samples.
        pixels: for each sample a number that is equal for equal images.
        names: of the samples, for messages.
        config: what counts as a leak and what happens to it.

    Raises:
        InputError: a sample has no split, there are no training images, or splits overlap and `leaks` is refuse.
    """
    chosen: dict[str, list[int]] = {name: [] for name in SPLIT_NAMES}
    for index, word in enumerate(given):
        split = split_named(word)
        if split is None:
            raise InputError(
                f"dataset.given_splits=true, but the split of {names[index]} is {word!r}, which means none of train, "
                "validation and test; correct it, or set `dataset.given_splits=false`."
            )
        chosen[split].append(index)
    leaks = _leaks(chosen, labels, pixels, config.equal_labels)
    notes = []
    if leaks:
        line = _told(leaks, labels, names, config)
        if config.leaks is Leaks.refuse:
            raise InputError(f"{line}. Set `dataset.leaks=drop` to leave them out{_or_apart(config)}.")
        notes.append(f"{line}; they are left out")
        lost = {index for _, index, _ in leaks}
        chosen = {name: [index for index in indices if index not in lost] for name, indices in chosen.items()}
    if not chosen["train"]:
        raise InputError("dataset.given_splits=true, but no image is left in the split train.")
    if not chosen["validation"]:
        chosen |= _validation_of(chosen["train"], labels, pixels, config)
        notes.append(f"the division has no validation images; {len(chosen['validation'])} training images become them")
    return chosen, notes


def _leaks(
    chosen: dict[str, list[int]], labels: Sequence[str], pixels: Sequence[int], equal_labels: EqualLabels
) -> list[tuple[str, int, int]]:
    """Split and place of each sample that has a twin in a split of higher rank, and the place of the twin."""
    seen_labels: dict[str, int] = {}
    seen_pixels: dict[int, int] = {}
    found: list[tuple[str, int, int]] = []
    for name in _ORDER:
        for index in chosen[name]:
            twin = seen_pixels.get(pixels[index])
            if twin is None and equal_labels is EqualLabels.together:
                twin = seen_labels.get(labels[index])
            if twin is not None:
                found.append((name, index, twin))
        for index in chosen[name]:
            seen_labels.setdefault(labels[index], index)
            seen_pixels.setdefault(pixels[index], index)
    return found


def _told(
    leaks: Sequence[tuple[str, int, int]], labels: Sequence[str], names: Sequence[str], config: DatasetConfig
) -> str:
    counts = Counter(name for name, _, _ in leaks)
    counted = " and ".join(f"{count} {name}" for name, count in counts.items())
    shared = "the label or the pixels" if config.equal_labels is EqualLabels.together else "the pixels"
    named = ", ".join(f"{names[index]} and {names[twin]} ({labels[index]!r})" for _, index, twin in leaks[:_NAMED])
    more = ", ..." if len(leaks) > _NAMED else ""
    return f"{counted} images of the given division have {shared} of an image in another split: {named}{more}"


def _or_apart(config: DatasetConfig) -> str:
    if config.equal_labels is EqualLabels.apart:
        return ""
    return ", or `dataset.equal_labels=apart` if equal labels on different images are no leak"


def _validation_of(
    train: list[int], labels: Sequence[str], pixels: Sequence[int], config: DatasetConfig
) -> dict[str, list[int]]:
    parts = split_samples(
        [labels[index] for index in train],
        [pixels[index] for index in train],
        validation_fraction=config.validation_fraction,
        test_fraction=0,
        seed=config.split_seed,
        labels_together=config.equal_labels is EqualLabels.together,
    )
    return {name: [train[place] for place in parts[name]] for name in ("train", "validation")}

"""Which samples go to which split."""

from collections.abc import Sequence

from captcha_exp.config import DatasetConfig, EqualLabels
from captcha_exp.dataset.cached_samples import Cached
from captcha_exp.dataset.given_splits import given_division, summary
from captcha_exp.dataset.split import SPLIT_VERSION, split_samples
from captcha_exp.errors import InputError


def divide(
    cached: Cached, labels: Sequence[str], given: Sequence[str] | None, config: DatasetConfig
) -> tuple[dict[str, list[int]], list[str]]:
    """Places of the samples of each split, and lines for the user.

    Args:
        cached: the samples.
        labels: theirs, in the case that models learn.
        given: the source's own split of each sample, None if the source has none.
        config: how to divide.

    Raises:
        InputError: a split would be empty, or the given division cannot be used.
    """
    if config.test_fraction == 1:
        return {"train": [], "validation": [], "test": list(range(len(labels)))}, []
    if len(labels) > 1 and (cached.pixels == cached.pixels[0]).all():
        raise InputError(
            f"All {len(labels)} images have equal pixels at this size, so nothing can be learnt from them; look at one "
            "of them, and at `dataset.background` if they are transparent."
        )
    if config.given_splits:
        if given is None:
            raise InputError(
                "dataset.given_splits=true, but the dataset has no division: a folder needs folders such as train, val "
                "and test, a table a column (`dataset.split_column=...`)."
            )
        return given_division(given, labels, cached.pixels.tolist(), [sample.name for sample in cached.samples], config)
    own = None if given is None else summary(given)
    notes = [] if own is None else [f"the dataset has its own division ({own}); `dataset.given_splits=true` takes it"]
    return _drawn(cached, labels, config), notes


def _drawn(cached: Cached, labels: Sequence[str], config: DatasetConfig) -> dict[str, list[int]]:
    together = config.equal_labels is EqualLabels.together
    try:
        return _remembered(cached, labels, config)
    except InputError as error:
        # Few labels, each with many images: groups of equal labels are too large to be held out.
        if together and 2 * len(set(labels)) <= len(set(cached.pixels.tolist())):
            raise InputError(
                f"{error} Or set `dataset.equal_labels=apart`, which divides images of one label."
            ) from error
        raise


def _remembered(cached: Cached, labels: Sequence[str], config: DatasetConfig) -> dict[str, list[int]]:
    fractions = (config.validation_fraction, config.test_fraction)
    fold = f" fold {config.test_fold}" if config.test_fold else ""
    fold += f" validation fold {config.validation_fold}" if config.validation_fold else ""
    together = config.equal_labels is EqualLabels.together
    apart = "" if together else " labels apart"
    return cached.remembered(
        f"split {SPLIT_VERSION} {config.label_case.value} {fractions} {config.split_seed}{fold}{apart}",
        lambda: split_samples(
            labels,
            cached.pixels.tolist(),
            validation_fraction=fractions[0],
            test_fraction=fractions[1],
            seed=config.split_seed,
            test_fold=config.test_fold,
            validation_fold=config.validation_fold,
            labels_together=together,
        ),
    )

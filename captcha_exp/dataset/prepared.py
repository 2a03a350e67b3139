"""A dataset made ready for training: checked, decoded, split."""

import gc
import hashlib
import logging
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from captcha_exp.config import DatasetConfig
from captcha_exp.dataset.cache import load_or_build
from captcha_exp.dataset.cached_samples import Cached
from captcha_exp.dataset.division import divide
from captcha_exp.dataset.image_spec import image_spec
from captcha_exp.dataset.label_checks import check_characters, check_fit, given_vocabulary, in_case
from captcha_exp.dataset.mapped_images import MappedImages
from captcha_exp.dataset.preparation_notes import told_of_images, told_of_labels
from captcha_exp.dataset.samples import SkippedFile, Source, named
from captcha_exp.dataset.sources import open_source
from captcha_exp.errors import InputError
from captcha_exp.reader.vocabulary import Vocabulary

_log = logging.getLogger(__name__)
_DIGEST_LENGTH = 16


@dataclass(frozen=True)
class Split:
    """One part of the divided dataset. Images are uint8 (N, H, W) or (N, H, W, 3); indexing reads them from disk."""

    name: str
    images: MappedImages
    labels: list[str]
    names: list[str]
    origins: list[str]

    def __len__(self) -> int:
        return len(self.labels)

    def only(self, which: Sequence[int] | np.ndarray) -> "Split":
        """The samples at some places."""
        parts = ([values[place] for place in which] for values in (self.labels, self.names, self.origins))
        return Split(self.name, self.images.only(which), *parts)

    def followed_by(self, other: "Split") -> "Split":
        """These samples and then those of another split of the same dataset, under this split's name."""
        images = self.images.followed_by(other.images)
        return Split(
            self.name, images, self.labels + other.labels, self.names + other.names, self.origins + other.origins
        )


@dataclass(frozen=True)
class PreparedDataset:
    """The dataset for training and evaluation.

    `source_name` is the short name of its source, `source_uri` the exact place. `fingerprint` identifies labels and
    image files; image size, splits and names do not matter. `vocabulary` is configured or from the training labels.
    `unlabelled` are further images, whose labels are empty.
    """

    source_name: str
    source_uri: str
    fingerprint: str
    vocabulary: Vocabulary
    skipped: list[SkippedFile]
    train: Split
    validation: Split
    test: Split
    cache_dir: Path
    unlabelled: Split | None = None

    @property
    def splits(self) -> tuple[Split, Split, Split]:
        return self.train, self.validation, self.test

    def digest_of(self, split: Split) -> str:
        """A digest that identifies the content of one of the splits."""
        # Equal labels are always in the same split, so fingerprint and labels together identify the split.
        labels = "\n".join(sorted(split.labels))
        text = f"{self.fingerprint}\n{labels}".encode("utf-8", "surrogateescape")
        return hashlib.sha256(text).hexdigest()[:_DIGEST_LENGTH]

    def split(self, name: str) -> Split:
        """The split called `train`, `validation` or `test`.

        Raises:
            InputError: the split does not exist.
        """
        for split in self.splits:
            if split.name == name:
                return split
        raise InputError(f"There is no split {name!r}; there are {', '.join(split.name for split in self.splits)}.")


def prepare_dataset(config: DatasetConfig, root: Path) -> PreparedDataset:
    """List, check, decode and split a dataset. If the cache has the result of an earlier call, use it.

    Slow steps are logged at level INFO.

    Args:
        config: the group `dataset`.
        root: the folder that holds `cache/`.

    Raises:
        InputError: anything that is wrong with the user's data.
    """
    cache = root / "cache"
    try:
        with _nothing_collected():
            source = _limited(open_source(config, cache), config)
        for note in source.notes:
            _log.info(note)
        total = len(source.samples) + len(source.skipped)
        _check_skipped(source.skipped, total, config)
        vocabulary = given_vocabulary(config)
        check_characters(source.samples, vocabulary, config)
        spec = image_spec(config)
        cached = load_or_build(source, spec, cache)
        skipped = [*source.skipped, *cached.skipped]
        _check_skipped(skipped, total, config)
        with _nothing_collected():
            return _divided(source, cached, skipped, vocabulary, config)
    except OSError as error:
        if isinstance(error, InputError):
            raise
        where = f" {error.filename}" if error.filename else ""
        raise InputError(
            f"The cache {cache} cannot be used ({error.strerror or error}{where}); remove the cause or set `root=...`."
        ) from error


def check_labels_fit(dataset: PreparedDataset, time_steps: int) -> None:
    """Refuse a dataset without training images, or with labels that a model of `time_steps` cannot emit.

    Raises:
        InputError: there is such a label; the message names the one that needs most steps.
    """
    if not len(dataset.train):
        raise InputError("No image is left to train on: `dataset.test_fraction=1` makes all of them test images.")
    check_fit([label for split in dataset.splits for label in split.labels], time_steps)


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Pause the garbage collector: it would take longer than making hundreds of thousands of samples."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _limited(source: Source, config: DatasetConfig) -> Source:
    """At most `dataset.limit` files, drawn by `dataset.split_seed`, in their order. Unusable files count as well."""
    usable, total = len(source.samples), len(source.samples) + len(source.skipped)
    if config.limit is None or config.limit >= total:
        return source
    drawn = sorted(random.Random(f"limit:{config.split_seed}").sample(range(total), config.limit))
    return replace(
        source,
        samples=[source.samples[index] for index in drawn if index < usable],
        skipped=[source.skipped[index - usable] for index in drawn if index >= usable],
        given=None if source.given is None else [source.given[index] for index in drawn if index < usable],
    )


def _check_skipped(skipped: Sequence[SkippedFile], total: int, config: DatasetConfig) -> None:
    if not skipped:
        return
    share = len(skipped) / total
    problem = f"{len(skipped)} of {total} files cannot be used ({share:.1%}): {named(skipped)}."
    if len(skipped) == total:
        raise InputError(f"{problem} Nothing is left to train on.")
    if share > config.max_bad_share:
        raise InputError(f"{problem} Repair or remove them, or raise `dataset.max_bad_share={config.max_bad_share}`.")


def _divided(
    source: Source, cached: Cached, skipped: list[SkippedFile], given_characters: str | None, config: DatasetConfig
) -> PreparedDataset:
    samples = cached.samples
    labels = in_case([sample.label for sample in samples], config.label_case)
    given = None if source.given is None else [source.given[row] for row in cached.rows]
    positions, notes = divide(cached, labels, given, config)
    images = cached.images(image_spec(config))
    splits = {
        name: Split(
            name,
            images.only(indices),
            [labels[index] for index in indices],
            [samples[index].name for index in indices],
            [samples[index].origin for index in indices],
        )
        for name, indices in positions.items()
    }
    # A division that was given may keep a character out of training, but its images must still be written.
    learnt = splits["train"].labels
    written = labels if config.given_splits or not learnt else learnt
    vocabulary = Vocabulary.from_labels(written if given_characters is None else [given_characters])
    for note in [
        *notes,
        *told_of_labels(vocabulary.characters, learnt, labels, config),
        *told_of_images(cached, config),
    ]:
        _log.info(note)
    return PreparedDataset(
        source.name, source.uri, cached.fingerprint, vocabulary, skipped, **splits, cache_dir=cached.folder
    )

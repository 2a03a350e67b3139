"""The configuration of a dataset, one model per source."""

import re
from enum import Enum
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from captcha_exp.config.fields import (
    Count,
    FunctionName,
    GreyLevel,
    Items,
    Must,
    NotNegativeWhole,
    Settings,
    Share,
    ShareBelowOne,
    Text,
    Whole,
)
from captcha_exp.config.schema.style import StyleConfig
from captcha_exp.errors import InputError
from captcha_exp.reader.image import MAX_ROWS, Channels
from captcha_exp.reader.metadata import MAX_SIDE
from captcha_exp.reader.polarity import Polarity

# A family's name becomes part of sample names, of command line keys and of MLflow keys.
_FAMILY = re.compile(r"[A-Za-z0-9_-]+")


class LabelCase(Enum):
    """What happens to the case of labels before they are used."""

    keep = "keep"
    lower = "lower"
    upper = "upper"


class EqualLabels(Enum):
    """Whether images with equal labels stay in one split."""

    together = "together"
    apart = "apart"


class Leaks(Enum):
    """What happens to images of a given division that have a label or pixels in common with another split."""

    refuse = "refuse"
    drop = "drop"


class LabelFrom(Enum):
    """Where the images of a folder have their labels."""

    name = "name"
    folder = "folder"
    text = "text"


class ExpectedConfig(Settings):
    """What a dataset should hold. A difference gives a warning, not an error."""

    images: Count | None
    images_tolerance: Share
    length: Count | None
    alphabet: str | None


_ROUNDED = 1e-9  # 1 / 0.1 must be 10 and not 9


class DatasetConfig(Settings):
    """What every source of labelled images has in common; `conf/base/dataset.yaml` explains the keys."""

    source: str
    image_height: Annotated[Whole, Field(ge=8, le=MAX_SIDE)]
    image_width: Annotated[Whole, Field(ge=8, le=MAX_SIDE)]
    keep_aspect_ratio: bool
    background: GreyLevel
    channels: Channels
    polarity: Polarity
    rows: Annotated[Whole, Field(ge=1, le=MAX_ROWS)]
    vocabulary: Text | None
    vocabulary_file: str | None
    label_case: LabelCase
    equal_labels: EqualLabels
    given_splits: bool
    leaks: Leaks
    validation_fraction: Annotated[ShareBelowOne, Field(gt=0)]
    test_fraction: Share
    validation_fold: NotNegativeWhole
    test_fold: NotNegativeWhole
    split_seed: Whole
    max_bad_share: Share
    limit: Count | None
    expected: ExpectedConfig

    @model_validator(mode="after")
    def _some_images_train(self) -> "DatasetConfig":
        held_out = self.validation_fraction + self.test_fraction
        if held_out >= 1 and self.test_fraction < 1:  # 1 makes all images test images
            raise InputError(f"validation_fraction + dataset.test_fraction must be below 1, not {held_out}.")
        folds = int(1 / self.test_fraction + _ROUNDED) if self.test_fraction else 1
        if self.test_fold >= folds:
            raise InputError(
                f"test_fold must be below {folds}, the number of test splits of dataset.test_fraction="
                f"{self.test_fraction:g}, not {self.test_fold}."
            )
        return self

    @property
    def validation_folds(self) -> int:
        """How many validation splits without a common image there are beside one test split."""
        return 1 if self.given_splits else int((1 - self.test_fraction) / self.validation_fraction + _ROUNDED)

    @model_validator(mode="after")
    def _the_fold_exists(self) -> "DatasetConfig":
        folds = self.validation_folds
        if self.validation_fold >= max(1, folds):
            why = (
                "dataset.given_splits=true"
                if self.given_splits
                else f"dataset.validation_fraction={self.validation_fraction:g}"
            )
            raise InputError(
                f"validation_fold must be below {folds}, the number of validation splits of {why}, "
                f"not {self.validation_fold}."
            )
        return self

    @model_validator(mode="after")
    def _one_vocabulary(self) -> "DatasetConfig":
        if self.vocabulary is not None and self.vocabulary_file is not None:
            raise InputError("vocabulary and dataset.vocabulary_file cannot both be set; leave one of them null.")
        return self

    @model_validator(mode="after")
    def _characters_differ(self) -> "DatasetConfig":
        repeated = {c for c in self.vocabulary or "" if (self.vocabulary or "").count(c) > 1}
        if repeated:
            raise InputError(f"vocabulary must be free of repeated characters, not {''.join(sorted(repeated))!r}.")
        return self


class RenderedConfig(DatasetConfig):
    """Images that this machine renders. Equal configurations give equal pixels."""

    size: Count
    seed: Whole
    characters: Text
    min_length: Count
    max_length: Whole

    @model_validator(mode="after")
    def _lengths_are_in_order(self) -> "RenderedConfig":
        if self.max_length < self.min_length:
            raise InputError(
                f"max_length must be at least dataset.min_length ({self.min_length}), not {self.max_length}."
            )
        return self


class SyntheticConfig(RenderedConfig):
    """Images in the one style of the `captcha` package."""

    source: Literal["synthetic"]


class StyledConfig(RenderedConfig):
    """Images in several families of style, by name. If `fonts` is not null, it replaces the fonts of every family."""

    source: Literal["styled"]
    fonts: Annotated[list[str], Field(min_length=1), Items("font")] | None
    styles: dict[str, StyleConfig]

    @model_validator(mode="after")
    def _families_have_names(self) -> "StyledConfig":
        if not self.styles:
            raise InputError("styles has no family; choose some, e.g. `'dataset/style=[lines,plate]'`.")
        for name in self.styles:
            if not _FAMILY.fullmatch(name):
                raise InputError(f"styles: a family is named with letters, digits, `_` and `-`, not {name!r}.")
        return self


class FolderConfig(DatasetConfig):
    """Image files in a folder or an archive; `conf/dataset/folder.yaml` explains the keys.

    With `label_from` null, texts beside the images are taken if nearly every image has one. With `label_pattern` null,
    the label is the whole name, unless the names show that it is only a part.
    """

    source: Literal["folder"]
    path: str
    label_from: LabelFrom | None
    label_pattern: str | None
    recursive: bool


class ManifestConfig(DatasetConfig):
    """A table of image files; `conf/dataset/manifest.yaml` explains the keys."""

    source: Literal["manifest"]
    path: str
    file_column: str
    label_column: str
    split_column: str
    image_root: str | None
    delimiter: str | None
    encoding: str | None
    header: bool | None


def _finds_a_label(pattern: str) -> bool:
    try:
        return "label" in re.compile(pattern).groupindex
    except re.error:
        return False


_LabelPattern = Annotated[str, Must("a regular expression with a group named label", _finds_a_label)]


class LayoutConfig(Settings):
    """Where a Kaggle set has its labels: in the group `label` of one of `label_patterns`, matched on a file's stem.

    The first pattern that fits nearly all files is used. If `tables` is true, a table of labels is tried before.
    """

    tables: bool
    label_patterns: Annotated[list[_LabelPattern], Field(min_length=1), Items("pattern")]


class KaggleConfig(DatasetConfig):
    """Public Kaggle sets, each by its handle `owner/name`. Several sets are mixed.

    `layouts` says where the labels of a handle are. In other sets, the labels are searched for.
    """

    source: Literal["kaggle"]
    handles: Annotated[list[str], Field(min_length=1), Items("Kaggle handle")]
    layouts: dict[str, LayoutConfig]


class CustomDatasetConfig(DatasetConfig):
    """The user's own source; `opener` is its `MODULE:FUNCTION`.

    The function takes this configuration and returns a `captcha_exp.dataset.Source`; only the function uses `options`.
    """

    source: Literal["custom"]
    opener: FunctionName
    options: dict[str, Any]


Dataset = Annotated[
    SyntheticConfig | StyledConfig | FolderConfig | ManifestConfig | KaggleConfig | CustomDatasetConfig,
    Field(discriminator="source"),
]

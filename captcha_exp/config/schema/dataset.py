"""What a dataset is, one dataclass per source."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from omegaconf import MISSING

from captcha_exp.config.schema.style import StyleConfig


class DatasetSource(Enum):
    """Where the samples come from."""

    synthetic = "synthetic"
    styled = "styled"
    folder = "folder"
    manifest = "manifest"
    kaggle = "kaggle"
    custom = "custom"


class LabelCase(Enum):
    """What happens to the case of labels before they are used."""

    keep = "keep"
    lower = "lower"
    upper = "upper"


@dataclass
class ExpectedConfig:
    """What a dataset is known to hold; null expects nothing, and what differs is warned of, not refused.

    `images` may be off by the share `images_tolerance`; every label has `length` characters, all of them in `alphabet`.
    """

    images: int | None = MISSING
    images_tolerance: float = MISSING
    length: int | None = MISSING
    alphabet: str | None = MISSING


@dataclass
class DatasetConfig:
    """What every source of labelled images has in common.

    `vocabulary` lists the characters that may be read; null takes them from the training labels.
    `limit` keeps that many samples, drawn by `split_seed`; null keeps all.
    `background` is the grey level, 0 to 255, behind transparent pixels and around images whose aspect ratio is kept.
    """

    source: DatasetSource = MISSING
    image_height: int = MISSING
    image_width: int = MISSING
    keep_aspect_ratio: bool = MISSING
    background: int = MISSING
    vocabulary: str | None = MISSING
    label_case: LabelCase = MISSING
    validation_fraction: float = MISSING
    test_fraction: float = MISSING
    split_seed: int = MISSING
    max_bad_share: float = MISSING
    limit: int | None = MISSING
    expected: ExpectedConfig = MISSING


@dataclass
class RenderedConfig(DatasetConfig):
    """Images rendered on this machine: the same configuration gives the same pixels."""

    size: int = MISSING
    seed: int = MISSING
    characters: str = MISSING
    min_length: int = MISSING
    max_length: int = MISSING


@dataclass
class SyntheticConfig(RenderedConfig):
    """Images in the one style of the `captcha` package."""


@dataclass
class StyledConfig(RenderedConfig):
    """Images in several families of style, by their names; `fonts` replaces those of every family unless it is null."""

    fonts: list[str] | None = MISSING
    styles: dict[str, StyleConfig] = MISSING


@dataclass
class FolderConfig(DatasetConfig):
    """Image files whose names hold the label: the group `label` of `label_pattern`, matched on the stem."""

    path: str = MISSING
    label_pattern: str = MISSING
    recursive: bool = MISSING


@dataclass
class ManifestConfig(DatasetConfig):
    """A CSV or TSV table of image files, relative to its own folder unless `image_root` is set."""

    path: str = MISSING
    file_column: str = MISSING
    label_column: str = MISSING
    image_root: str | None = MISSING


@dataclass
class KaggleConfig(DatasetConfig):
    """Public Kaggle sets, each by its handle `owner/name`, mixed where there are several."""

    handles: list[str] = MISSING


@dataclass
class CustomDatasetConfig(DatasetConfig):
    """A source of the user's own, `opener` its `MODULE:FUNCTION`.

    The function takes this configuration and returns a `captcha_exp.dataset.Source`; `options` are for it alone.
    """

    opener: str = MISSING
    options: dict[str, Any] = MISSING

"""The source that a configuration names."""

from pathlib import Path

from captcha_exp.config import (
    CustomDatasetConfig,
    DatasetConfig,
    FolderConfig,
    KaggleConfig,
    ManifestConfig,
    RenderedConfig,
    StyledConfig,
    SyntheticConfig,
)
from captcha_exp.dataset.label_text import with_plain_labels
from captcha_exp.dataset.samples import Source
from captcha_exp.errors import InputError


def open_source(config: DatasetConfig, cache: Path) -> Source:
    """List the samples of a dataset, with their labels written in one way. This does not read or render any image.

    Raises:
        InputError: the source cannot be used. The message uses the source's own keys.
    """
    if isinstance(config, RenderedConfig):
        return _opened(config, cache)  # its images show exactly these labels
    return with_plain_labels(_opened(config, cache))


def _opened(config: DatasetConfig, cache: Path) -> Source:
    # Each source is imported only when it is used: listing a folder needs no table reader and no font.
    if isinstance(config, SyntheticConfig):
        from captcha_exp.dataset.synthetic import open_synthetic

        return open_synthetic(config)
    if isinstance(config, StyledConfig):
        from captcha_exp.dataset.styled import open_styled

        return open_styled(config)
    if isinstance(config, FolderConfig):
        from captcha_exp.dataset.folder import open_folder

        return open_folder(config, cache)
    if isinstance(config, ManifestConfig):
        from captcha_exp.dataset.manifest import open_manifest

        return open_manifest(config, cache)
    if isinstance(config, KaggleConfig):
        from captcha_exp.dataset.kaggle import open_kaggle

        return open_kaggle(config, cache)
    if isinstance(config, CustomDatasetConfig):
        from captcha_exp.extension import named_function

        source = named_function("dataset.opener", config.opener)(config)
        if not isinstance(source, Source):
            raise InputError(
                f"dataset.opener={config.opener} must return a captcha_exp.dataset.Source, not {source!r}."
            )
        return source
    raise TypeError(f"No source for {type(config).__name__}.")

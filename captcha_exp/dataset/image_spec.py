"""The size and form that a dataset's images are converted to."""

from captcha_exp.config import DatasetConfig
from captcha_exp.reader.image import ImageSpec


def image_spec(dataset: DatasetConfig) -> ImageSpec:
    """The part of a dataset's configuration that decides the pixels."""
    return ImageSpec(
        dataset.image_height,
        dataset.image_width,
        dataset.keep_aspect_ratio,
        dataset.background,
        dataset.channels,
        dataset.polarity,
        dataset.rows,
    )

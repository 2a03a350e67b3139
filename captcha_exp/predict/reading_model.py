"""A model that reads files, pictures and arrays."""

import os
from collections.abc import Iterable, Sequence
from io import BytesIO

import numpy as np
from PIL import Image

from captcha_exp.errors import InputError
from captcha_exp.predict.input_files import read_file
from captcha_exp.reader.decoding import Constraint
from captcha_exp.reader.image_formats import BadImageError
from captcha_exp.reader.predictor import BATCH_SIZE, Predictor, Reading

Picture = str | os.PathLike[str] | np.ndarray | Image.Image
_COLOUR = 3
# Modes of Pillow that a PNG can hold.
_PNG_MODES = {"1", "L", "LA", "I", "I;16", "P", "RGB", "RGBA"}


class ReadingModel:
    """A trained model that reads images; `captcha_exp.load_model` gives one.

    Attributes:
        characters: the characters that it can read.
        version: `NAME/VERSION` if it is registered, otherwise None.
    """

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor
        self.characters = predictor.characters
        self.version = predictor.version

    def read(
        self,
        images: Picture | Iterable[Picture],
        *,
        pattern: str | None = None,
        alphabet: str | None = None,
        min_length: int | None = None,
        max_length: int | None = None,
        words: Sequence[str] | None = None,
        alternatives: int = 0,
    ) -> list[Reading]:
        """Read images of any size; they are brought to the form that the model was trained with.

        Args:
            images: paths of files, pictures of Pillow, or uint8 arrays (H, W) or (H, W, 3); one, or many of them.
            pattern: a regular expression for the whole text, e.g. `[0-9]{6}`.
            alphabet: the characters that can occur.
            min_length: in characters.
            max_length: in characters.
            words: the possible texts.
            alternatives: how many further texts to return for each image.

        Returns:
            For each image, in order, `text`, `confidence` in [0, 1], and `alternatives`.

        Raises:
            InputError: an image cannot be read, or the model cannot read any text of this kind.
        """
        constraint = Constraint(pattern, alphabet, min_length, max_length, None if words is None else tuple(words))
        readings: list[Reading] = []
        batch: list[bytes] = []
        for picture in _each(images):
            batch.append(_bytes_of(picture, len(readings) + len(batch)))
            if len(batch) == BATCH_SIZE:
                readings += self._read(batch, constraint, alternatives, len(readings))
                batch = []
        return readings + self._read(batch, constraint, alternatives, len(readings))

    def _read(self, files: list[bytes], constraint: Constraint, alternatives: int, before: int) -> list[Reading]:
        read = self._predictor.read(files, constraint, alternatives)
        for at, reading in enumerate(read):
            if isinstance(reading, BadImageError):
                raise InputError(f"image {before + at} cannot be read: {reading}.") from reading
        return [reading for reading in read if isinstance(reading, Reading)]


def _each(images: Picture | Iterable[Picture]) -> Iterable[Picture]:
    """The single images. An array of three dimensions is one image if its last holds three colours."""
    if isinstance(images, str | os.PathLike | Image.Image):
        return [images]
    if isinstance(images, np.ndarray) and (images.ndim == 2 or (images.ndim == 3 and images.shape[-1] == _COLOUR)):
        return [images]
    return images


def _bytes_of(picture: Picture, at: int) -> bytes:
    """An image as the bytes of a file, without loss."""
    if isinstance(picture, str | os.PathLike):
        data = read_file(os.fspath(picture))
        if isinstance(data, BadImageError):
            raise InputError(f"image {at}, {os.fspath(picture)}, cannot be read: {data}.")
        return data
    if isinstance(picture, np.ndarray):
        picture = _picture_of(picture, at)
    if not isinstance(picture, Image.Image):
        raise InputError(
            f"image {at} must be a path, a picture of Pillow or an array of uint8, not {type(picture).__name__}."
        )
    encoded = BytesIO()
    (picture if picture.mode in _PNG_MODES else picture.convert("RGB")).save(encoded, "PNG", compress_level=1)
    return encoded.getvalue()


def _picture_of(array: np.ndarray, at: int) -> Image.Image:
    colour = array.ndim == 3 and array.shape[-1] == _COLOUR
    if array.dtype != np.uint8 or not array.size or not (array.ndim == 2 or colour):
        raise InputError(
            f"image {at} must be uint8 of shape (H, W) or (H, W, 3), not {array.dtype} of shape {array.shape}."
        )
    return Image.fromarray(array)

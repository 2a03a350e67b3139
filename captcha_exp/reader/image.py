"""The preprocessing of images. Training and serving share it."""

import io
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
from PIL import Image

from captcha_exp.errors import joined_lines
from captcha_exp.reader.image_formats import MAX_PIXELS, BadImageError, open_image
from captcha_exp.reader.polarity import Polarity, dark_on_light

# The weights of red, green and blue in a grey level, as `Image.convert("L")` computes it (ITU-R BT.601).
LUMA = (0.299, 0.587, 0.114)
_BAND_MAX_16_BIT = 65535
# An image of fewer different grey levels shows nothing.
_LEAST_CONTRAST = 8
_MOST_FRAMES = 200
# The formats that can have several frames or transparency.
_FRAMED = ("GIF", "PNG", "WEBP", "TIFF", "AVIF")


class Unusual(StrEnum):
    """What was done with an image of which nothing would be seen; `blank` is one that shows nothing in any way."""

    frame = "frame"
    background = "background"
    blank = "blank"


class Channels(StrEnum):
    """What a model sees of each pixel."""

    grey = "grey"
    rgb = "rgb"


# Pillow's names.
_MODES = {Channels.grey: "L", Channels.rgb: "RGB"}
# What is new in a description. It is left out where it is as before, so that caches and models of earlier versions fit.
ADDED_LATER: dict[str, Any] = {"channels": "grey", "polarity": "keep", "rows": 1}
MAX_ROWS = 4


@dataclass(frozen=True)
class ImageSpec:
    """The target form of every image: sizes in pixels, `background` as a grey level from 0 to 255.

    An image of several `rows` of text is cut into so many parts, which stand side by side in the target form.
    """

    height: int
    width: int
    keep_aspect_ratio: bool
    background: int
    channels: Channels = Channels.grey
    polarity: Polarity = Polarity.keep
    rows: int = 1

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of an image: (H, W), or (H, W, 3) in colour."""
        return (self.height, self.width) if self.channels is Channels.grey else self.input_shape

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """The shape of an image as a network takes it: (H, W, C)."""
        return self.height, self.width, len(_MODES[self.channels])

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "ImageSpec":
        """The inverse of `to_dict`."""
        values = {**ADDED_LATER, **values}
        return cls(**values | {"channels": Channels(values["channels"]), "polarity": Polarity(values["polarity"])})

    def to_dict(self) -> dict[str, Any]:
        """Plain values, fit for JSON."""
        values = asdict(self) | {"channels": str(self.channels), "polarity": str(self.polarity)}
        return {key: value for key, value in values.items() if ADDED_LATER.get(key) != value}


def decode_image(data: bytes, spec: ImageSpec, most_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Decode an image file to the form of `spec`, as a viewer would show it on the background.

    Args:
        data: bytes of a PNG, JPEG, GIF, BMP, WebP, TIFF, PPM or AVIF file of any mode. Of several frames the first is
            read, or the one with the most contrast if the first shows nothing.
        spec: target form; with `keep_aspect_ratio` the image is centred on the background.
        most_pixels: the most pixels of an image. The header is checked before decoding.

    Returns:
        uint8 of shape (H, W), or (H, W, 3) in colour.

    Raises:
        BadImageError: the file is truncated, not an image, has no size, or has more than `most_pixels` pixels.
    """
    return decode_and_tell(data, spec, most_pixels)[0]


def decode_and_tell(data: bytes, spec: ImageSpec, most_pixels: int = MAX_PIXELS) -> tuple[np.ndarray, Unusual | None]:
    """The result of `decode_image`, and what was unusual about the file."""
    if not data:
        raise BadImageError("the file is empty")
    # Damaged bytes make Pillow raise nearly anything: OSError, SyntaxError, struct.error, zlib.error, KeyError...
    try:
        image, unusual = _shown(open_image(data, most_pixels), spec)
        return _fit(_in_one_row(image, spec.rows), spec), unusual
    except BadImageError:
        raise
    except Exception as error:
        reason = joined_lines(error) or type(error).__name__
        raise BadImageError(f"not readable as an image ({reason})") from error


class Images(Protocol):
    """Images, uint8 (N, H, W), or (N, H, W, 3) in colour, in memory or on disk. Indexing returns images in memory."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: Any, /) -> Any: ...

    def __iter__(self) -> Iterator[np.ndarray]: ...


def to_input(images: np.ndarray) -> np.ndarray:
    """Scale images to the recogniser's input: uint8 (B, H, W) or (B, H, W, 3) -> float32 (B, H, W, C) in [0, 1]."""
    scaled = images.astype(np.float32) / np.float32(255)
    return scaled if scaled.ndim == 4 else scaled[..., np.newaxis]


def _shown(image: Image.Image, spec: ImageSpec) -> tuple[Image.Image, Unusual | None]:
    """What a viewer shows, "L" or "RGB". Where that is nothing, another background or another frame is taken."""
    opaque = _opaque(image, spec)
    if image.format not in _FRAMED or not _shows_nothing(opaque):
        return opaque, None
    if getattr(image, "n_frames", 1) > 1:
        fullest = _fullest_frame(image, spec)
        if fullest is not None:
            return fullest, Unusual.frame
    elif image.has_transparency_data:
        other = _opaque(image, replace(spec, background=255 if spec.background < 128 else 0))
        if not _shows_nothing(other):
            return other, Unusual.background
    return opaque, Unusual.blank


def _shows_nothing(image: Image.Image) -> bool:
    low, high = image.convert("L").getextrema()
    return float(high) - float(low) < _LEAST_CONTRAST  # type: ignore[arg-type]


def _fullest_frame(image: Image.Image, spec: ImageSpec) -> Image.Image | None:
    """The frame with the most contrast, the last one of equals; None if all of them show nothing."""
    best, most = None, 0.0
    for frame in _later_frames(image, spec):
        contrast = 0.0 if _shows_nothing(frame) else float(np.asarray(frame.convert("L")).std())
        if contrast >= most and contrast > 0:
            best, most = frame, contrast
    return best


def _later_frames(image: Image.Image, spec: ImageSpec) -> Iterator[Image.Image]:
    """The frames after the first, as long as they can be read and are not too many."""
    affordable = MAX_PIXELS // (image.width * image.height)
    frames = min(image.n_frames, max(2, min(_MOST_FRAMES, affordable)))  # type: ignore[attr-defined]
    for number in range(1, frames):
        try:
            image.seek(number)
            yield _opaque(image.copy(), spec)
        except Exception:  # damaged bytes make Pillow raise nearly anything
            return


def _opaque(image: Image.Image, spec: ImageSpec) -> Image.Image:
    """Any mode -> "L" or "RGB", on the background."""
    mode = _MODES[spec.channels]
    if image.mode == "I" or image.mode.startswith("I;16"):
        return _grey_from_16_bit(image, spec.background).convert(mode)
    if image.mode == "F":
        raise BadImageError("floating-point pixels have no defined grey level")
    if not image.has_transparency_data:
        return image.convert(mode) if image.mode in {"L", "RGB"} else image.convert("RGB").convert(mode)
    image = image.convert("RGBA")
    # Grey is a weighted sum, so it does not matter whether blending or conversion comes first.
    canvas = _canvas(image.size, spec)
    canvas.paste(image.convert(mode), mask=image.getchannel("A"))
    return canvas


def _canvas(size: tuple[int, int], spec: ImageSpec) -> Image.Image:
    mode = _MODES[spec.channels]
    return Image.new(mode, size, (spec.background,) * len(mode))


def _grey_from_16_bit(image: Image.Image, background: int) -> Image.Image:
    # Pillow's own conversion from these modes does not scale; it clips at 255.
    levels = np.asarray(image).astype(np.int64)
    if levels.min() < 0 or levels.max() > _BAND_MAX_16_BIT:
        raise BadImageError("pixels outside the range of 16 bits")
    grey = (levels >> 8).astype(np.uint8)
    if "transparency" in image.info:
        grey[levels == image.info["transparency"]] = background
    return Image.fromarray(grey)


def _in_one_row(image: Image.Image, rows: int) -> Image.Image:
    """Cut an image ("L" or "RGB") into rows of equal height, and lay them side by side, the top one first.

    A height that cannot be divided leaves lines over; neighbouring rows then share one.
    """
    if rows == 1:
        return image
    height = -(-image.height // rows)
    laid = Image.new(image.mode, (image.width * rows, height))
    for row in range(rows):
        top = (image.height - height) * row // (rows - 1)
        laid.paste(image.crop((0, top, image.width, top + height)), (image.width * row, 0))
    return laid


def _fit(image: Image.Image, spec: ImageSpec) -> np.ndarray:
    """Image ("L" or "RGB") of any size -> uint8 (H, W) or (H, W, 3)."""
    size = (spec.width, spec.height)
    if spec.keep_aspect_ratio:
        factor = min(spec.width / image.width, spec.height / image.height)
        size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    # When Pillow reduces an image, its bilinear filter covers the whole area of a target pixel, so thin strokes survive
    # without aliasing. It never overshoots. When an axis grows, it interpolates; a box filter would make blocks.
    if image.size != size:
        image = image.resize(size, Image.Resampling.BILINEAR)
    if spec.polarity is Polarity.dark_text:
        # Before it is centred: the background around it is no part of the image.
        image = dark_on_light(image)
    if size == (spec.width, spec.height):
        return np.array(image)
    canvas = _canvas((spec.width, spec.height), spec)
    canvas.paste(image, ((spec.width - size[0]) // 2, (spec.height - size[1]) // 2))
    return np.array(canvas)


def encode_png(image: np.ndarray) -> bytes:
    """An image, uint8 (H, W) or (H, W, 3), as the bytes of a PNG file."""
    data = io.BytesIO()
    Image.fromarray(image).save(data, "PNG")
    return data.getvalue()

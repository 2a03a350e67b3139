"""Images of any kind become images of one form."""

import io
import json
import struct
import zlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from captcha_exp.reader.image import Channels, ImageSpec, decode_image, encode_png, to_input
from captcha_exp.reader.image_formats import MAX_PIXELS, BadImageError
from captcha_exp.reader.polarity import Polarity

SPEC = ImageSpec(height=8, width=16, keep_aspect_ratio=False, background=255)
COLOUR = ImageSpec(8, 16, False, 255, Channels.rgb)


def encoded(image: Image.Image, image_format: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def png(width: int, height: int, body: bytes = b"", depth: int = 8, colour: int = 0) -> bytes:
    """A PNG that claims a size and a kind, whatever it holds."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")


def test_a_grey_image_of_the_right_size_is_unchanged() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 16), np.uint8)
    decoded = decode_image(encoded(Image.fromarray(pixels)), SPEC)
    np.testing.assert_array_equal(decoded, pixels)
    assert decoded.dtype == np.uint8


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I;16B", "PA"])
@pytest.mark.parametrize("grey", [0, 255])
def test_every_mode_shows_black_as_black_and_white_as_white(mode: str, grey: int) -> None:
    image = Image.new("L", (16, 8), grey)
    if mode.startswith("I;16"):
        image = Image.fromarray(np.full((8, 16), grey * 257, ">u2" if mode.endswith("B") else "<u2"))
    elif mode == "PA":
        image = image.convert("P").convert("PA")
    else:
        image = image.convert("RGB").convert(mode)
    image_format = {"CMYK": "TIFF", "I;16B": "TIFF"}.get(mode, "PNG")
    if mode == "PA":
        image = image.convert("RGBA")
    for spec, shape in ((SPEC, (8, 16)), (COLOUR, (8, 16, 3))):
        decoded = decode_image(encoded(image, image_format), spec)
        assert decoded.shape == spec.shape == shape
        assert set(decoded.flat) == {grey}


def test_a_cmyk_jpeg_is_not_shown_as_its_negative() -> None:
    assert decode_image(encoded(Image.new("CMYK", (16, 8), (0, 0, 0, 255)), "JPEG"), SPEC).max() < 5


@pytest.mark.parametrize(("key", "grey"), [(255, 255), (0, 0)])
def test_a_ycck_jpeg_is_not_shown_as_its_negative(key: int, grey: int) -> None:
    # Pillow writes CMYK inverted and untransformed; the Adobe marker's last byte makes it YCCK. Inverted white is Y 0.
    stored = encoded(Image.new("CMYK", (16, 8), (255, 127, 127, 255 - key)), "JPEG", quality=95)
    transform = stored.index(b"Adobe") + 11
    assert stored[transform] == 0
    decoded = decode_image(stored[:transform] + b"\2" + stored[transform + 1 :], SPEC)
    assert np.abs(decoded.astype(int) - grey).max() < 5


def test_sixteen_bit_colour_is_shown_by_its_high_bytes() -> None:
    body = b"".join(b"\0" + struct.pack(">3H", 0x1234, 0x1234, 0x1234) * 16 for _ in range(8))
    assert set(decode_image(png(16, 8, body, depth=16, colour=2), SPEC).flat) == {0x12}


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_grey_of_few_bits_is_spread_over_all_levels(depth: int) -> None:
    body = b"".join(b"\0" + b"\xff" * depth + b"\0" * depth for _ in range(8))
    decoded = decode_image(png(16, 8, body, depth=depth), SPEC)
    assert set(decoded[:, :8].flat) == {255} and set(decoded[:, 8:].flat) == {0}


def test_sixteen_bit_grey_is_scaled_and_not_clipped() -> None:
    levels = np.repeat(np.linspace(0, 65535, 16).astype(np.uint16)[None], 8, axis=0)
    np.testing.assert_array_equal(decode_image(encoded(Image.fromarray(levels)), SPEC), levels >> 8)


@pytest.mark.parametrize("background", [20, 100, 255])  # black on black would be put on white
def test_transparent_pixels_show_the_background(background: int) -> None:
    spec = ImageSpec(8, 16, False, background)
    colour = Image.new("RGBA", (16, 8), (255, 0, 0, 0))
    colour.paste((0, 0, 0, 255), (0, 0, 8, 8))
    palette = Image.new("P", (16, 8), 0)
    palette.putpalette([0, 0, 0, 200, 10, 10])
    palette.paste(1, (8, 0, 16, 8))
    keyed_16_bit = Image.fromarray(np.repeat(np.array([[0] * 8 + [4321] * 8], np.uint16), 8, axis=0))
    for data in (
        encoded(colour),
        encoded(colour, "WEBP", lossless=True, exact=True),
        encoded(colour, "AVIF", quality=100, subsampling="4:4:4"),
        encoded(palette, transparency=1),
        encoded(keyed_16_bit, transparency=4321),
        encoded(Image.merge("LA", (colour.convert("L"), colour.getchannel("A")))),
    ):
        decoded = decode_image(data, spec)
        assert set(decoded[:, :8].flat) == {0}
        assert set(decoded[:, 8:].flat) == {background}
        assert set(decode_image(data, replace(spec, channels=Channels.rgb))[:, 8:].flat) == {background}


def test_half_transparent_pixels_blend_with_the_background() -> None:
    assert set(decode_image(encoded(Image.new("RGBA", (16, 8), (0, 0, 0, 128))), SPEC).flat) == {127}


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_turned_as_a_viewer_does(image_format: str, orientation: int) -> None:
    upright = np.full((8, 16), 255, np.uint8)
    upright[:4, :8] = 0
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.T,
        6: np.rot90(upright),
        7: upright[::-1, ::-1].T,
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"JPEG": {"quality": 95}, "WEBP": {"lossless": True}}.get(image_format, {})
    decoded = decode_image(encoded(Image.fromarray(stored), image_format, exif=exif, **options), SPEC)
    assert np.abs(decoded.astype(int) - upright).max() < 20


@pytest.mark.parametrize("image_format", ["GIF", "PNG", "WEBP", "TIFF", "AVIF"])
def test_the_first_frame_of_an_animation_is_read(image_format: str) -> None:
    frames = [Image.new("L", (16, 8), grey) for grey in (40, 200)]
    options = {"WEBP": {"lossless": True}, "AVIF": {"quality": 100}}.get(image_format, {})
    data = encoded(frames[0], image_format, save_all=True, append_images=frames[1:], **options)
    assert Image.open(io.BytesIO(data)).n_frames == 2  # type: ignore[attr-defined]
    assert set(decode_image(data, SPEC).flat) == {40}


def test_reduction_averages_so_that_thin_strokes_survive() -> None:
    strokes = np.full((64, 128), 255, np.uint8)
    strokes[:, ::8] = 0
    decoded = decode_image(encoded(Image.fromarray(strokes)), SPEC)
    assert abs(decoded[:, 1:-1].mean() - strokes.mean()) < 2
    assert decoded.max() - decoded.min() < 60


@pytest.mark.parametrize("width", [1, 9, 20, 75, 400])
def test_images_of_any_width_keep_their_proportions_or_fill_the_size(width: int) -> None:
    kept = ImageSpec(height=8, width=64, keep_aspect_ratio=True, background=0)
    data = encoded(Image.new("L", (width, 10), 200))
    columns = np.flatnonzero(decode_image(data, kept).any(axis=0))
    assert len(columns) == min(64, max(1, round(width * 8 / 10)))
    assert abs(columns[0] - (63 - columns[-1])) <= 1
    assert set(decode_image(data, ImageSpec(8, 64, False, 0)).flat) == {200}


def test_keeping_the_aspect_ratio_centres_the_image_on_the_background() -> None:
    spec = ImageSpec(height=8, width=16, keep_aspect_ratio=True, background=7)
    decoded = decode_image(encoded(Image.new("L", (20, 20), 200)), spec)
    assert set(decoded[:, 4:12].flat) == {200}
    assert set(decoded[:, :4].flat) | set(decoded[:, 12:].flat) == {7}
    sliver = decode_image(encoded(Image.new("L", (1000, 1), 200)), spec)
    assert (sliver == 200).sum() == 16


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b"no image at all", "not an image, of no size, or not one of PNG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image"),
        (encoded(Image.effect_noise((64, 64), 50))[:1500], "not readable as an image"),
        (encoded(Image.effect_noise((64, 64), 50), "JPEG")[:900], "not readable as an image"),
        (png(0, 8), "no size"),
        (png(5000, 5000), rf"5000x5000 is more than {MAX_PIXELS} pixels"),
        (png(60_000, 60_000), "more than"),
        (png(8, 8), "not readable as an image"),
        (encoded(Image.new("F", (16, 8), 0.5), "TIFF"), "floating-point"),
        (encoded(Image.effect_noise((64, 64), 50), "AVIF")[:900], "not an image|not readable as an image"),
        (b'<?xml version="1.0"?>\n<svg width="9" height="9"/>', "^SVG, a format that is not read; save it as PNG$"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "^HEIC, a format that is not read"),
        (b"\xff\x0a" + bytes(99), "^JPEG XL, a format that is not read"),
    ],
)
def test_what_no_viewer_could_show_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(BadImageError, match=reason) as caught:
        decode_image(data, SPEC)
    assert "\n" not in str(caught.value)


def test_model_input_is_scaled_to_one_with_a_channel() -> None:
    batch = to_input(np.array([[[0, 255]], [[51, 102]]], np.uint8))
    assert batch.shape == (2, 1, 2, 1) and batch.dtype == np.float32
    np.testing.assert_allclose(batch.ravel(), [0, 1, 0.2, 0.4], rtol=1e-6)


@pytest.mark.parametrize("kind", ["RGB", "RGBA", "P", "CMYK", "JPEG", "WEBP"])
def test_colours_stay_what_they_are(kind: str) -> None:
    """Two colours of one grey level are two colours."""
    pixels = np.empty((8, 16, 3), np.uint8)
    pixels[:, :8], pixels[:, 8:] = (200, 0, 0), (0, 102, 0)
    image = Image.fromarray(pixels)
    data = {
        "JPEG": lambda: encoded(image, "JPEG", quality=95, subsampling=0),
        "WEBP": lambda: encoded(image, "WEBP", lossless=True),
        "CMYK": lambda: encoded(image.convert("CMYK"), "TIFF"),
        "P": lambda: encoded(image.quantize(4)),
    }.get(kind, lambda: encoded(image.convert(kind)))()
    decoded = decode_image(data, COLOUR)
    assert decoded.dtype == np.uint8
    assert np.abs(decoded.astype(int) - pixels).max() <= (8 if kind == "JPEG" else 0)
    grey = decode_image(data, SPEC)
    assert np.ptp(grey) <= 3


def test_channels_are_resized_and_centred_each_as_grey_is() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    spec = ImageSpec(8, 32, True, 7, Channels.rgb)
    decoded = decode_image(encode_png(pixels), spec)
    for channel in range(3):
        alone = decode_image(encode_png(pixels[..., channel]), replace(spec, channels=Channels.grey))
        np.testing.assert_array_equal(decoded[..., channel], alone)


def test_a_colour_image_is_written_and_read_back() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 16, 3), np.uint8)
    np.testing.assert_array_equal(decode_image(encode_png(pixels), COLOUR), pixels)


def test_colours_are_scaled_to_one_as_they_lie() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 4, 6, 3), np.uint8)
    batch = to_input(pixels)
    assert batch.dtype == np.float32
    np.testing.assert_allclose(batch, pixels / 255, rtol=1e-6)


def test_the_specification_survives_json() -> None:
    for spec in (SPEC, COLOUR, replace(COLOUR, polarity=Polarity.dark_text)):
        assert ImageSpec.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec


def test_what_earlier_versions_did_is_described_as_they_did() -> None:
    """Their caches and models are found and read on."""
    described = {"height": 8, "width": 16, "keep_aspect_ratio": False, "background": 255}
    assert SPEC.to_dict() == described and list(SPEC.to_dict()) == list(described)
    assert ImageSpec.from_dict(described) == SPEC

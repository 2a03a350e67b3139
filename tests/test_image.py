"""Images of any kind become grey images of one size."""

import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from captcha_exp.image import MAX_PIXELS, BadImageError, ImageSpec, decode_image, to_input

SPEC = ImageSpec(height=8, width=16, keep_aspect_ratio=False, background=255)


def encoded(image: Image.Image, image_format: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def png_header_only(width: int, height: int, pixels: bytes = b"") -> bytes:
    """A grey PNG that claims a size, whatever it holds."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    signature = b"\x89PNG\r\n\x1a\n"
    return signature + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")


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
    decoded = decode_image(encoded(image, image_format), SPEC)
    assert decoded.shape == (8, 16)
    assert set(decoded.flat) == {grey}


def test_a_cmyk_jpeg_is_not_shown_as_its_negative() -> None:
    decoded = decode_image(encoded(Image.new("CMYK", (16, 8), (0, 0, 0, 255)), "JPEG"), SPEC)
    assert decoded.max() < 5


def test_sixteen_bit_grey_is_scaled_and_not_clipped() -> None:
    levels = np.repeat(np.linspace(0, 65535, 16).astype(np.uint16)[None], 8, axis=0)
    decoded = decode_image(encoded(Image.fromarray(levels)), SPEC)
    np.testing.assert_array_equal(decoded, levels >> 8)


@pytest.mark.parametrize("background", [0, 100, 255])
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
        encoded(palette, transparency=1),
        encoded(keyed_16_bit, transparency=4321),
        encoded(Image.merge("LA", (colour.convert("L"), colour.getchannel("A")))),
    ):
        decoded = decode_image(data, spec)
        assert set(decoded[:, :8].flat) == {0}
        assert set(decoded[:, 8:].flat) == {background}


def test_half_transparent_pixels_blend_with_the_background() -> None:
    decoded = decode_image(encoded(Image.new("RGBA", (16, 8), (0, 0, 0, 128))), SPEC)
    assert set(decoded.flat) == {127}


def test_exif_orientation_turns_the_image_as_a_viewer_does() -> None:
    upright = np.zeros((8, 16), np.uint8)
    upright[:4] = 255
    stored = Image.fromarray(upright).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise for display
    decoded = decode_image(encoded(stored, exif=exif), SPEC)
    np.testing.assert_array_equal(decoded, upright)


def test_the_first_frame_of_an_animation_is_read() -> None:
    frames = [Image.new("L", (16, 8), grey) for grey in (40, 200)]
    assert set(decode_image(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]), SPEC).flat) == {40}


def test_reduction_averages_so_that_thin_strokes_survive() -> None:
    strokes = np.full((64, 128), 255, np.uint8)
    strokes[:, ::8] = 0
    decoded = decode_image(encoded(Image.fromarray(strokes)), SPEC)
    assert abs(decoded[:, 1:-1].mean() - strokes.mean()) < 2
    assert decoded.max() - decoded.min() < 60


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
        (png_header_only(0, 8), "no size"),
        (png_header_only(5000, 5000), rf"5000x5000 is more than {MAX_PIXELS} pixels"),
        (png_header_only(60_000, 60_000), "more than"),
        (png_header_only(8, 8), "not readable as an image"),
        (encoded(Image.new("F", (16, 8), 0.5), "TIFF"), "floating-point"),
    ],
)
def test_what_no_viewer_could_show_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(BadImageError, match=reason) as caught:
        decode_image(data, SPEC)
    assert "\n" not in str(caught.value)


def test_a_decompression_bomb_is_refused_before_its_pixels_take_memory(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.png"
    bomb.write_bytes(png_header_only(13_000, 13_000, bytes(13_000 * 13_001)))
    assert bomb.stat().st_size < 200_000
    script = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from captcha_exp.image import BadImageError, ImageSpec, decode_image\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n"
        "    decode_image(Path(sys.argv[1]).read_bytes(), ImageSpec(8, 16, False, 255))\n"
        "except BadImageError as error:\n"
        "    print(error, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, sep=';')\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(bomb)], capture_output=True, text=True, check=True)
    message, grown_kib = done.stdout.strip().split(";")
    assert "13000x13000" in message
    assert int(grown_kib) < 20_000
    assert done.stderr == ""


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_random_damage_never_escapes_as_another_error() -> None:
    rng = np.random.default_rng(0)
    noise = Image.effect_noise((24, 12), 60)
    originals = [encoded(noise, name) for name in ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM")]
    refused = 0
    for turn in range(700):
        data = bytearray(originals[turn % len(originals)])
        for position in rng.integers(0, len(data), rng.integers(1, 12)):
            data[position] = rng.integers(0, 256)
        try:
            assert decode_image(bytes(data[: rng.integers(1, len(data) + 1)]), SPEC).shape == (8, 16)
        except BadImageError:
            refused += 1
    assert 0 < refused <= 700


def test_model_input_is_scaled_to_one_with_a_channel() -> None:
    batch = to_input(np.array([[[0, 255]], [[51, 102]]], np.uint8))
    assert batch.shape == (2, 1, 2, 1)
    assert batch.dtype == np.float32
    np.testing.assert_allclose(batch.ravel(), [0, 1, 0.2, 0.4], rtol=1e-6)


def test_the_specification_survives_json() -> None:
    assert ImageSpec.from_dict(SPEC.to_dict()) == SPEC

"""What single files hold."""

import io

import numpy as np
import pytest
from PIL import Image

from captcha_exp.prepare.file_inspection import Damage, Damaged, FileFacts, inspect
from captcha_exp.reader.image import ImageSpec
from tests.prepare.conftest import drawn, encoded

SPEC = ImageSpec(50, 200, False, 255)


def facts(data: bytes) -> FileFacts:
    found = inspect(data, SPEC)
    assert isinstance(found, FileFacts)
    return found


@pytest.mark.parametrize("kind", ["BMP", "GIF", "TIFF", "PPM"])
def test_equal_pixels_are_equal_in_every_lossless_format(kind: str) -> None:
    image = drawn("abc").convert("L").convert("RGB")
    png, other = facts(encoded(image)), facts(encoded(image, kind))
    assert other.format == kind and other.content != png.content
    assert other.pixels == png.pixels


def test_equal_pixels_are_equal_in_every_mode() -> None:
    image = drawn("abc").convert("L")
    deep = Image.fromarray(np.asarray(image).astype(np.uint16) * 257)
    opaque = image.convert("RGBA")
    modes = [facts(encoded(one)) for one in (image, image.convert("RGB"), image.convert("P"), deep, opaque)]
    assert [one.mode for one in modes] == ["L", "RGB", "P", "I;16", "RGBA"]
    assert len({one.pixels for one in modes}) == 1


def test_transparency_depth_and_one_pixel_make_a_difference() -> None:
    image = drawn("abc")
    clear = image.convert("RGBA")
    clear.putpixel((0, 0), (255, 255, 255, 0))
    dot = image.copy()
    dot.putpixel((1, 1), (1, 2, 3))
    deep = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * np.uint16(256))
    variants = [image, clear, dot, image.convert("L"), deep]
    assert len({facts(encoded(one)).pixels for one in variants}) == 5


def test_a_frame_that_ends_early_is_truncated_whatever_pillow_says_of_it() -> None:
    whole = encoded(drawn("abc"))
    for length in (20, 60, 200, len(whole) - 40):
        found = inspect(whole[:length], SPEC)
        assert isinstance(found, Damaged) and found.kind is Damage.truncated, length
    missing_end = inspect(whole[:-12], SPEC)
    assert isinstance(missing_end, FileFacts) and missing_end.cut_off
    assert not facts(whole).cut_off
    jpeg = io.BytesIO()
    drawn("abc").save(jpeg, "JPEG")
    assert not facts(jpeg.getvalue()).cut_off

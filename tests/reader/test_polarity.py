"""Light text on dark becomes dark text on light."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from captcha_exp.reader.image import Channels, ImageSpec, decode_image, encode_png
from captcha_exp.reader.polarity import Polarity, dark_on_light, is_light_on_dark


def drawn(paper: int, ink: int) -> np.ndarray:
    """Strokes on paper, a quarter of the image: uint8 (20, 60)."""
    pixels = np.full((20, 60), paper, np.uint8)
    pixels[5:15, 10:50:2] = ink
    return pixels


def decoded(pixels: np.ndarray, polarity: Polarity, channels: Channels = Channels.grey) -> np.ndarray:
    height, width = pixels.shape[:2]
    return decode_image(encode_png(pixels), ImageSpec(height, width, False, 255, channels, polarity))


@pytest.mark.parametrize(("paper", "ink", "light"), [(250, 10, False), (10, 250, True), (128, 60, False),
                                                     (60, 90, True), (128, 255, True), (200, 190, False)])  # fmt: skip
def test_what_is_darker_is_told_by_the_images_own_levels(paper: int, ink: int, light: bool) -> None:
    assert is_light_on_dark(Image.fromarray(drawn(paper, ink))) is light


def test_specks_and_a_frame_of_the_text_s_colour_do_not_hide_the_paper() -> None:
    pixels = drawn(200, 40)
    pixels[:, [0, -1]] = pixels[[0, -1]] = 40
    pixels.ravel()[::90] = 255
    assert not is_light_on_dark(Image.fromarray(pixels))
    assert is_light_on_dark(Image.fromarray(255 - pixels))


def test_an_even_image_stays() -> None:
    for level in (0, 128, 255):
        assert not is_light_on_dark(Image.new("L", (9, 4), level))


def test_only_light_text_on_dark_is_inverted_and_only_where_that_is_asked_for() -> None:
    dark, light = drawn(240, 20), drawn(20, 240)
    np.testing.assert_array_equal(decoded(dark, Polarity.dark_text), dark)
    np.testing.assert_array_equal(decoded(light, Polarity.dark_text), 255 - light)
    np.testing.assert_array_equal(decoded(light, Polarity.keep), light)


def test_all_channels_are_inverted_by_what_the_grey_levels_say() -> None:
    """Green is light, blue is dark, though both have a full channel."""
    green_on_blue = np.zeros((20, 60, 3), np.uint8)
    green_on_blue[..., 2] = 255
    green_on_blue[5:15, 10:50:2] = (0, 255, 0)
    turned = decoded(green_on_blue, Polarity.dark_text, Channels.rgb)
    np.testing.assert_array_equal(turned, 255 - green_on_blue)
    blue_on_green = green_on_blue[..., [0, 2, 1]]
    np.testing.assert_array_equal(decoded(blue_on_green, Polarity.dark_text, Channels.rgb), blue_on_green)


def test_the_background_around_an_image_is_neither_judged_nor_inverted() -> None:
    spec = ImageSpec(20, 200, True, 255, polarity=Polarity.dark_text)
    turned = decode_image(encode_png(drawn(20, 240)), spec)
    assert set(turned[:, :70].flat) == {255}
    np.testing.assert_array_equal(turned[:, 70:130], 255 - drawn(20, 240))


def test_real_images_end_with_dark_text(data_dir: Path) -> None:
    """Nearly half of one set is light on dark, none of the other two."""
    files = {
        "gregwar5": sorted((data_dir / "gregwar5").glob("*.jpg"))[:200],
        "captcha_images_v2": sorted((data_dir / "captcha_images_v2").glob("*.png"))[:100],
    }
    shares = {}
    for name, paths in files.items():
        images = [Image.open(path).convert("RGB") for path in paths]
        assert not any(is_light_on_dark(dark_on_light(image)) for image in images)
        shares[name] = float(np.mean([is_light_on_dark(image) for image in images]))
    assert 0.4 < shares["gregwar5"] < 0.6 and shares["captcha_images_v2"] == 0

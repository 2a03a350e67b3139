"""From a text to the bytes of an image file."""

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from captcha_exp.config import Frame, StyleConfig, Texture
from captcha_exp.dataset.styled.colors import Color, draw_color
from captcha_exp.dataset.styled.layout import Layout, lay_out
from captcha_exp.dataset.styled.strokes import draw_stroke, draw_strokes, line_color
from captcha_exp.dataset.styled.surface import dot_positions, noise, texture

_MAX_NOISE_BLUR = 0.05  # a smaller radius changes nothing that can be seen


@dataclass(frozen=True)
class Family:
    """A style by its name, with the font files that it draws from."""

    name: str
    style: StyleConfig
    fonts: tuple[str, ...]


@dataclass(frozen=True)
class Renderer:
    """Renders `seed:index:family:label`, where `family` is a place in `families`, in any process the same."""

    families: tuple[Family, ...]

    def __call__(self, locator: str) -> bytes:
        """The rendered image as a PPM file, the cheapest to write and read, or as JPEG where the style says so."""
        seed, index, place, label = locator.split(":", 3)
        family = self.families[int(place)]
        # By name, not by place: a family's images stay the same whichever others are mixed in.
        return render(label, family, Random(f"{seed}:{index}:{family.name}:{label}"))


def render(label: str, family: Family, rng: Random) -> bytes:
    """The bytes of an image file that shows `label`, drawn from `rng` alone."""
    style = family.style
    layout = lay_out(label, style, family.fonts, rng)
    negative = rng.random() < style.negative
    ink = draw_color(rng, style.ink, style.ink_saturation, negative=negative)
    image = _paint(layout, style, ink, rng, negative=negative)
    pixels = _camera(image, style, ink, rng, negative=negative)
    if style.jpeg_quality is None:
        height, width, _ = pixels.shape
        return b"P6\n%d %d\n255\n" % (width, height) + pixels.tobytes()
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=rng.randint(*style.jpeg_quality))
    return buffer.getvalue()


def _paint(layout: Layout, style: StyleConfig, ink: Color, rng: Random, *, negative: bool) -> Image.Image:
    """Paper, frame, strokes and characters."""
    image = _paper(layout.width, style, rng, negative=negative)
    if style.frame is not Frame.none:
        image = _framed(image, layout, style.frame, ink, rng)
    draw = ImageDraw.Draw(image)
    in_front = draw_strokes(draw, style, ink, rng, negative=negative)
    for glyph in layout.placed:
        own = draw_color(rng, style.ink, style.ink_saturation, negative=negative) if style.color_per_character else ink
        image.paste(own, (glyph.x, glyph.y), glyph.mask)
    for stroke in in_front:
        draw_stroke(draw, *stroke)
    return image


def _paper(width: int, style: StyleConfig, rng: Random, *, negative: bool) -> Image.Image:
    first = draw_color(rng, style.paper, style.paper_saturation, negative=negative)
    if rng.random() >= style.gradient:
        return Image.new("RGB", (width, style.height), first)
    second = draw_color(rng, style.paper, style.paper_saturation, negative=negative)
    share = (_ramp(style.height, width, rng) + np.float32(0.5))[..., np.newaxis]
    start, end = np.array(first, np.float32), np.array(second, np.float32)
    return Image.fromarray((start + share * (end - start)).astype(np.uint8))


def _ramp(height: int, width: int, rng: Random) -> np.ndarray:
    """From -0.5 on one side to 0.5 on the other, in a random direction; float32 of shape (H, W)."""
    direction = rng.uniform(0, 2 * math.pi)
    x = np.linspace(-0.5, 0.5, width, dtype=np.float32) * np.float32(math.cos(direction))
    y = np.linspace(-0.5, 0.5, height, dtype=np.float32) * np.float32(math.sin(direction))
    return (x + y[:, np.newaxis]) / np.float32(abs(math.cos(direction)) + abs(math.sin(direction)))


def _framed(paper: Image.Image, layout: Layout, frame: Frame, ink: Color, rng: Random) -> Image.Image:
    """The paper seen through windows, or as a plate, with something between paper and ink around it."""
    around = Image.blend(paper, Image.new("RGB", paper.size, ink), rng.uniform(0.2, 0.5))
    if frame is Frame.plate:
        draw = ImageDraw.Draw(paper)
        box = (1, 1, paper.width - 2, paper.height - 2)
        radius = rng.randint(2, 6)
        draw.rounded_rectangle(box, radius, outline=ink, width=rng.randint(1, 2))
        mask = Image.new("L", paper.size)
        ImageDraw.Draw(mask).rounded_rectangle(box, radius, 255)
    else:
        top = min(glyph.y for glyph in layout.placed) - 2
        bottom = max(glyph.y + glyph.mask.height for glyph in layout.placed) + 1
        half = layout.pitch / 2 + 1
        mask = Image.new("L", paper.size)
        for glyph in layout.placed:
            ImageDraw.Draw(mask).rectangle((glyph.center - half, top, glyph.center + half, bottom), 255)
    around.paste(paper, mask=mask)
    return around


def _camera(image: Image.Image, style: StyleConfig, ink: Color, rng: Random, *, negative: bool) -> np.ndarray:
    """What happens to the painted picture as a whole; uint8 of shape (H, W, 3)."""
    if style.wave[1] > 0:
        image = _bent(image, style, rng)
    radius = rng.uniform(*style.blur)
    if radius > _MAX_NOISE_BLUR:
        image = image.filter(ImageFilter.BoxBlur(radius))
    lit = np.array(image, np.float32)
    for field in _fields(image.height, image.width, style, rng):
        # The same for all three channels, over ink and paper alike: the contrast between them stays.
        lit += field[..., np.newaxis]
    pixels = lit.clip(0, 255, out=lit).astype(np.uint8)
    _add_dots(pixels, style, ink, rng, negative=negative)
    return pixels


def _fields(height: int, width: int, style: StyleConfig, rng: Random) -> Iterator[np.ndarray]:
    """What is added to the grey level of each pixel, as float32 of shape (H, W)."""
    shade, strength, deviation = (rng.uniform(*ends) for ends in (style.shade, style.texture_strength, style.noise))
    if shade:
        yield _ramp(height, width, rng) * np.float32(shade)
    if style.texture is not Texture.none and strength:
        yield texture(style.texture, height, width, rng) * np.float32(strength)
    if deviation:
        yield noise(height, width, rng) * np.float32(deviation)


def _bent(image: Image.Image, style: StyleConfig, rng: Random) -> Image.Image:
    """Rows and columns pushed along sine waves, each pixel to its nearest place."""
    pixels = np.asarray(image)
    height, width, _ = pixels.shape
    amplitude, length = rng.uniform(*style.wave) * height, rng.uniform(*style.wave_length) * height
    turn = 2 * math.pi / length
    down = amplitude * np.sin(turn * np.arange(width) + rng.uniform(0, 2 * math.pi))
    right = amplitude * np.sin(turn * np.arange(height) + rng.uniform(0, 2 * math.pi))
    y = np.clip(np.rint(np.arange(height)[:, np.newaxis] + down), 0, height - 1).astype(np.int64)
    x = np.clip(np.rint(np.arange(width) + right[:, np.newaxis]), 0, width - 1).astype(np.int64)
    return Image.fromarray(pixels.reshape(-1, 3).take(y * width + x, axis=0))


def _add_dots(pixels: np.ndarray, style: StyleConfig, ink: Color, rng: Random, *, negative: bool) -> None:
    height, width, _ = pixels.shape
    size = rng.randint(*style.dot_size)
    count = round(rng.uniform(*style.dots) * height * width / size**2)
    if not count:
        return
    color = line_color(style, ink, rng, negative=negative)
    flat = pixels.reshape(-1, 3)
    corners = dot_positions(count, height * width, rng)
    for step in range(size * size):
        flat[(corners + step // size * width + step % size) % len(flat)] = color

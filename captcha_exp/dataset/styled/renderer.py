"""From a text to the bytes of an image file."""

import io
from dataclasses import dataclass
from random import Random

import numpy as np
from PIL import Image, ImageDraw

from captcha_exp.config import Frame, StyleConfig
from captcha_exp.dataset.styled.camera import add_dots, photographed
from captcha_exp.dataset.styled.colors import Color, Palette
from captcha_exp.dataset.styled.layout import Layout, lay_out
from captcha_exp.dataset.styled.strokes import draw_stroke, draw_strokes, line_color
from captcha_exp.dataset.styled.surface import ramp


@dataclass(frozen=True)
class Family:
    """A style with its name and its font files."""

    name: str
    style: StyleConfig
    fonts: tuple[str, ...]


@dataclass(frozen=True)
class Renderer:
    """Renders `seed:index:family:label` (`family` is a place in `families`), with the same result in every process."""

    families: tuple[Family, ...]

    def __call__(self, locator: str) -> bytes:
        """The image as a PPM or PGM file, which are the fastest to write and read, or as JPEG if the style says so."""
        seed, index, place, label = locator.split(":", 3)
        family = self.families[int(place)]
        # Seed with the name and not the place: a family's images stay the same if other families are added.
        return render(label, family, Random(f"{seed}:{index}:{family.name}:{label}"))


def render(label: str, family: Family, rng: Random) -> bytes:
    """The bytes of an image file that shows `label`. All random numbers come from `rng`."""
    style = family.style
    layout = lay_out(label, style, family.fonts, rng)
    palette = Palette.of(style, rng)
    ink = palette.draw(rng, style.ink, style.ink_saturation)
    pixels = photographed(_painted(layout, style, ink, palette, rng), style, rng)
    add_dots(pixels, style, line_color(style, ink, palette, rng), rng)
    if style.jpeg_quality is None:
        height, width, channels = pixels.shape
        return b"P%d\n%d %d\n255\n" % (6 if channels == 3 else 5, width, height) + pixels.tobytes()
    buffer = io.BytesIO()
    image = Image.fromarray(pixels.squeeze())
    image.save(buffer, "JPEG", quality=rng.randint(*style.jpeg_quality))
    return buffer.getvalue()


def _painted(layout: Layout, style: StyleConfig, ink: Color, palette: Palette, rng: Random) -> Image.Image:
    """Paper, frame, strokes and characters."""
    image = _paper(layout.width, style, palette, rng)
    if style.frame is not Frame.none:
        image = _framed(image, layout, style.frame, ink, rng)
    draw = ImageDraw.Draw(image)
    in_front = draw_strokes(draw, style, ink, palette, rng)
    for glyph in layout.placed:
        own = palette.draw(rng, style.ink, style.ink_saturation) if style.color_per_character else ink
        image.paste(own, (glyph.x, glyph.y), glyph.mask)
    for stroke in in_front:
        draw_stroke(draw, *stroke)
    return image


def _paper(width: int, style: StyleConfig, palette: Palette, rng: Random) -> Image.Image:
    first = palette.draw(rng, style.paper, style.paper_saturation)
    if rng.random() >= style.gradient:
        return Image.new(palette.mode, (width, style.height), first)
    second = palette.draw(rng, style.paper, style.paper_saturation)
    share = (ramp(style.height, width, rng) + np.float32(0.5))[..., np.newaxis]
    start, end = np.array(first, np.float32), np.array(second, np.float32)
    return Image.fromarray((start + share * (end - start)).astype(np.uint8).squeeze())


def _framed(paper: Image.Image, layout: Layout, frame: Frame, ink: Color, rng: Random) -> Image.Image:
    """Keep the paper inside windows or a plate, and fill the area around them with a colour between paper and ink."""
    around = Image.blend(paper, Image.new(paper.mode, paper.size, ink), rng.uniform(0.2, 0.5))
    mask = Image.new("L", paper.size)
    draw = ImageDraw.Draw(mask)
    if frame is Frame.plate:
        box, radius = (1, 1, paper.width - 2, paper.height - 2), rng.randint(2, 6)
        ImageDraw.Draw(paper).rounded_rectangle(box, radius, outline=ink, width=rng.randint(1, 2))
        draw.rounded_rectangle(box, radius, 255)
    else:
        top = min(glyph.y for glyph in layout.placed) - 2
        bottom = max(glyph.y + glyph.mask.height for glyph in layout.placed) + 1
        half = layout.pitch / 2 + 1
        for glyph in layout.placed:
            draw.rectangle((glyph.center - half, top, glyph.center + half, bottom), 255)
    around.paste(paper, mask=mask)
    return around

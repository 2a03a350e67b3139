"""Strokes through a text, straight or bent."""

from random import Random

from PIL import ImageDraw

from captcha_exp.config import StyleConfig
from captcha_exp.dataset.styled.colors import Color, Palette

# Number of straight pieces of a bend.
_PIECES = 14
_STEPS = tuple(piece / _PIECES for piece in range(_PIECES + 1))
Point = tuple[float, float]


def line_color(style: StyleConfig, text: Color, palette: Palette, rng: Random) -> Color:
    """The colour of one line, bend or set of dots. `text` is the colour of the text."""
    return text if style.line_ink is None else palette.draw(rng, style.line_ink, style.ink_saturation)


def draw_strokes(
    draw: ImageDraw.ImageDraw, style: StyleConfig, text: Color, palette: Palette, rng: Random
) -> list[tuple[list[Point], Color, int]]:
    """Draw the strokes behind the text. Return the others as points, colour and width for `draw_stroke`."""
    width, height = draw.im.size
    kinds = [False] * rng.randint(*style.lines) + [True] * rng.randint(*style.arcs)
    in_front = []
    for bent in kinds:
        start = (rng.uniform(-0.05, 0.4) * width, rng.random() * height)
        end = (rng.uniform(0.6, 1.05) * width, rng.random() * height)
        points = _bend(start, end, height, rng) if bent else [start, end]
        color, line_width = line_color(style, text, palette, rng), rng.randint(*style.line_width)
        if rng.random() < 0.5:
            draw_stroke(draw, points, color, line_width)
        else:
            # Families without `same_ink` draw nothing here, so that their images stay the same.
            same = style.same_ink > 0 and rng.random() < style.same_ink
            in_front.append((points, text if same else color, line_width))
    return in_front


def draw_stroke(draw: ImageDraw.ImageDraw, points: list[Point], color: Color, width: int) -> None:
    """Draw one line or bend."""
    draw.line(points, color, width)


def _bend(start: Point, end: Point, height: int, rng: Random) -> list[Point]:
    """A cubic Bezier curve whose handles lie up to half a height outside the picture."""
    span = end[0] - start[0]
    (x0, y0), (x3, y3) = start, end
    x1, y1 = x0 + span * rng.uniform(0.1, 0.5), height * rng.uniform(-0.5, 1.5)
    x2, y2 = x0 + span * rng.uniform(0.5, 0.9), height * rng.uniform(-0.5, 1.5)
    points = []
    for t in _STEPS:
        s = 1 - t
        weights = s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t
        points.append(
            (
                weights[0] * x0 + weights[1] * x1 + weights[2] * x2 + weights[3] * x3,
                weights[0] * y0 + weights[1] * y1 + weights[2] * y2 + weights[3] * y3,
            )
        )
    return points

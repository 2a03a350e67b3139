"""The style of a family of rendered images."""

from enum import Enum
from typing import Annotated

from pydantic import Field, model_validator

from captcha_exp.config.fields import Items, Number, Settings, Share, Whole, Worded, between
from captcha_exp.errors import InputError

# The least difference of grey levels between ink and paper. With less, noise and blur make texts unreadable.
MIN_CONTRAST = 60

_Numbers = list[Number]
_Wholes = list[Whole]


class Texture(Enum):
    """The picture's surface: plain, blotchy paper, brushed metal, woven or printed dots."""

    none = "none"
    paper = "paper"
    brushed = "brushed"
    weave = "weave"


class Frame(Enum):
    """The frame around the text: nothing, one border with rounded corners, or a window for each character."""

    none = "none"
    plate = "plate"
    cells = "cells"


class StyleConfig(Settings):
    """One family of styles. Two numbers are the ends of a range; each image or character draws uniformly from it.

    Sizes are shares of the font size. The font size is a share of the picture's height, so a family can be scaled.
    Grey levels are from 0 to 255. A colour keeps the grey level that was drawn, so the contrast is as configured.

    Mixture
        `turns`: images of this family in a row, before the next family's turn.
    Picture
        `height`: in pixels.
        `width`: in pixels; a picture becomes wider if its text needs it.
        `frame`: what is around the text.
    Characters
        `fonts`: names of shipped fonts, or paths of your own font files.
        `font_per_character`: whether each character draws its own font, instead of each image.
        `coarse`: share of images whose characters are made of large square pixels, as on old displays.
        `coarseness`: side of such a pixel, in pixels.
        `font_size`: as a share of the picture's height; a text that is too tall is made smaller.
        `character_scale`: of each character, times the font size.
        `angle`: of each character in degrees, counter-clockwise.
        `slant`: of an image's characters to the right, as in italics: sideways shift divided by height.
        `spacing`: between characters, in font sizes, added to the font's own; below 0 they overlap.
        `rise`: of each character above the line, in font sizes.
        `wave`: how far the picture is bent, in heights; `wave_length`: length of the wave, in heights.
    Colour
        `ink`, `paper`: grey levels of text and background.
        `ink_saturation`, `paper_saturation`: from 0, grey, to 1, as colourful as the grey level allows.
        `color_per_character`: whether each character draws its own ink, instead of each image.
        `negative`: share of images with light and dark swapped.
        `gradient`: share of images whose paper changes from one colour to another.
        `shade`: how much darker one side is than the other, in grey levels.
    Strokes and dots
        `lines`, `arcs`: number of straight and bent lines through the text, half of them behind it.
        `line_width`: in pixels.
        `line_ink`: grey levels of lines, arcs and dots; null draws them in the text's own colour.
        `same_ink`: share of the lines and arcs in front of the text that have the text's own colour all the same.
        `dots`: number of dots, as a share of the picture's pixels; `dot_size`: in pixels.
    Surface and camera
        `texture`: the kind of surface; `texture_strength`: its standard deviation in grey levels.
        `blur`: radius in pixels.
        `noise`: standard deviation in grey levels.
        `edges`: share of images of which only the edges are left, dark or light on grey.
        `jpeg_quality`: from 1 to 95; null leaves the picture uncompressed.
    """

    turns: Annotated[Whole, Field(ge=1, le=1000)]
    height: Annotated[Whole, Field(ge=16, le=128), Worded("{} pixels")]
    width: Annotated[Whole, Field(ge=16, le=2048), Worded("{} pixels")]
    frame: Frame
    fonts: Annotated[list[str], Field(min_length=1), Items("font")]
    font_per_character: bool
    coarse: Share
    coarseness: Annotated[_Wholes, between(1, 8)]
    font_size: Annotated[_Numbers, between(0.1, 1.5)]
    character_scale: Annotated[_Numbers, between(0.3, 3)]
    angle: Annotated[_Numbers, between(-90, 90)]
    slant: Annotated[_Numbers, between(-1, 1)]
    spacing: Annotated[_Numbers, between(-0.5, 3)]
    rise: Annotated[_Numbers, between(-1, 1)]
    wave: Annotated[_Numbers, between(0, 0.25)]
    wave_length: Annotated[_Numbers, between(0.05, 100)]
    ink: Annotated[_Numbers, between(0, 255)]
    paper: Annotated[_Numbers, between(0, 255)]
    ink_saturation: Annotated[_Numbers, between(0, 1)]
    paper_saturation: Annotated[_Numbers, between(0, 1)]
    color_per_character: bool
    negative: Share
    gradient: Share
    shade: Annotated[_Numbers, between(0, 255)]
    lines: Annotated[_Wholes, between(0, 50)]
    arcs: Annotated[_Wholes, between(0, 50)]
    line_width: Annotated[_Wholes, between(1, 10)]
    line_ink: Annotated[_Numbers, between(0, 255)] | None
    same_ink: Share
    dots: Annotated[_Numbers, between(0, 1)]
    dot_size: Annotated[_Wholes, between(1, 10)]
    texture: Texture
    texture_strength: Annotated[_Numbers, between(0, 255)]
    blur: Annotated[_Numbers, between(0, 10)]
    noise: Annotated[_Numbers, between(0, 255)]
    edges: Share
    jpeg_quality: Annotated[_Wholes, between(1, 95)] | None

    @model_validator(mode="after")
    def _text_can_be_read(self) -> "StyleConfig":
        contrast = max(self.paper[0] - self.ink[1], self.ink[0] - self.paper[1])
        if contrast < MIN_CONTRAST:
            raise InputError(
                f"ink must be at least {MIN_CONTRAST} grey levels darker or lighter than paper throughout, "
                f"not {self.ink} on {self.paper}."
            )
        return self

"""What a family of rendered images looks like."""

from dataclasses import dataclass
from enum import Enum

from omegaconf import MISSING


class Texture(Enum):
    """What the picture's surface is made of: nothing to see, blotchy paper, brushed metal, woven or printed dots."""

    none = "none"
    paper = "paper"
    brushed = "brushed"
    weave = "weave"


class Frame(Enum):
    """What stands around the text: nothing, one border with rounded corners, or a window for each character."""

    none = "none"
    plate = "plate"
    cells = "cells"


@dataclass
class StyleConfig:
    """One family of styles. Two numbers are the ends of a range, from which each image or character draws evenly.

    Sizes are shares of the font size, itself a share of the picture's height, so that a family can be made larger.
    Grey levels are from 0 to 255; a colour has the grey level drawn for it, so the text's contrast is what it says.

    Picture
        `height`: in pixels.
        `width`: in pixels; a text that needs more gets more.
        `frame`: what stands around the text.
    Characters
        `fonts`: names of shipped fonts, or paths of your own font files.
        `font_per_character`: whether each character draws its font, not each image.
        `font_size`: of the picture's height; a text too tall for the picture is made smaller.
        `character_scale`: of each character, times the font size.
        `angle`: of each character in degrees, counter-clockwise.
        `slant`: of an image's characters to the right, as in italics: sideways by height.
        `spacing`: between characters, in font sizes, added to what the font says; below 0 they overlap.
        `rise`: of each character above the line, in font sizes.
        `wave`: how far the picture is bent, in heights; `wave_length`: over which distance, in heights.
    Colour
        `ink`, `paper`: grey levels of text and background.
        `ink_saturation`, `paper_saturation`: from 0, grey, to 1, as colourful as the grey level allows.
        `color_per_character`: whether each character draws its ink, not each image.
        `negative`: share of images with light and dark exchanged.
        `gradient`: share of images whose paper runs from one colour to another.
        `shade`: how much darker one side lies than the other, in grey levels.
    Strokes and dots
        `lines`, `arcs`: how many straight lines and bends run through the text, half of them behind it.
        `line_width`: in pixels.
        `line_ink`: grey levels of lines, arcs and dots; null draws them in the text's own colour.
        `dots`: how many, as a share of the picture's pixels; `dot_size`: in pixels.
    Surface and camera
        `texture`: what the surface is made of; `texture_strength`: its standard deviation in grey levels.
        `blur`: radius in pixels.
        `noise`: standard deviation in grey levels.
        `jpeg_quality`: from 1 to 95; null leaves the picture uncompressed.
    """

    height: int = MISSING
    width: int = MISSING
    frame: Frame = MISSING
    fonts: list[str] = MISSING
    font_per_character: bool = MISSING
    font_size: list[float] = MISSING
    character_scale: list[float] = MISSING
    angle: list[float] = MISSING
    slant: list[float] = MISSING
    spacing: list[float] = MISSING
    rise: list[float] = MISSING
    wave: list[float] = MISSING
    wave_length: list[float] = MISSING
    ink: list[float] = MISSING
    paper: list[float] = MISSING
    ink_saturation: list[float] = MISSING
    paper_saturation: list[float] = MISSING
    color_per_character: bool = MISSING
    negative: float = MISSING
    gradient: float = MISSING
    shade: list[float] = MISSING
    lines: list[int] = MISSING
    arcs: list[int] = MISSING
    line_width: list[int] = MISSING
    line_ink: list[float] | None = MISSING
    dots: list[float] = MISSING
    dot_size: list[int] = MISSING
    texture: Texture = MISSING
    texture_strength: list[float] = MISSING
    blur: list[float] = MISSING
    noise: list[float] = MISSING
    jpeg_quality: list[int] | None = MISSING

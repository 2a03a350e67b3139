"""Labelled images in families of style. Equal configurations give equal pixels."""

import hashlib
import json
import sys
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image, features

from captcha_exp.config import StyledConfig, to_plain
from captcha_exp.dataset.samples import Sample, Source, label_problem
from captcha_exp.dataset.styled.fonts import can_draw, font_file
from captcha_exp.dataset.styled.renderer import Family, Renderer
from captcha_exp.errors import InputError

# Raise this number with every change in this package that changes pixels or labels.
GENERATOR_VERSION = 1


def open_styled(config: StyledConfig) -> Source:
    """The samples; their images are rendered later. A sample's origin is its family.

    The families take turns, each with as many samples in a row as its style says.

    Raises:
        InputError: a font cannot be read, or lacks a character of `dataset.characters`.
    """
    # Sorted, because the order of the families on the command line does not matter.
    families = tuple(_family(config, name) for name in sorted(config.styles))
    stamps = [_stamp(family) for family in families]
    turns = [place for place, family in enumerate(families) for _ in range(family.style.turns)]
    counts = [0] * len(families)
    samples = []
    for number in range(config.size):
        place = turns[number % len(turns)]
        index, counts[place] = counts[place], counts[place] + 1
        name = families[place].name
        label = _label(config, name, index)
        locator = f"{config.seed}:{index}:{place}:{label}"
        samples.append(Sample(f"{name}-{index:06d}", label, name, locator, stamps[place]))
    uri = (
        f"styled:{config.characters}?styles={','.join(f.name for f in families)}&size={config.size}&seed={config.seed}"
    )
    return Source("styled", uri, samples, [], Renderer(families))


def _family(config: StyledConfig, name: str) -> Family:
    key, named = f"dataset.styles.{name}.fonts", config.styles[name].fonts
    if config.fonts is not None:
        key, named = "dataset.fonts", config.fonts
    fonts = tuple(font_file(font, key) for font in named)
    for character in config.characters:
        if label_problem(character) or character.isspace():
            raise InputError(f"dataset.characters has {character!r}, which cannot be part of a label.")
        for font, path in zip(named, fonts, strict=True):
            if not can_draw(path, character):
                raise InputError(
                    f"dataset.characters has {character!r}, which {font} of {key} cannot draw; "
                    f"remove the character, or choose other fonts with `{key}=[...]`."
                )
    return Family(name, config.styles[name], fonts)


def _label(config: StyledConfig, family: str, index: int) -> str:
    rng = Random(f"label:{config.seed}:{config.characters}:{config.min_length}-{config.max_length}:{family}:{index}")
    return "".join(rng.choices(config.characters, k=rng.randint(config.min_length, config.max_length)))


def _stamp(family: Family) -> str:
    """A short text of everything besides the locator that can change a pixel."""
    python = ".".join(map(str, sys.version_info[:2]))
    libraries = [features.version(library) for library in ("freetype2", "libjpeg_turbo")]
    versions = [python, np.__version__, Image.__version__, *libraries]
    fonts = [hashlib.blake2b(Path(path).read_bytes(), digest_size=16).hexdigest() for path in family.fonts]
    whole = json.dumps([GENERATOR_VERSION, family.name, to_plain(family.style), fonts, versions], sort_keys=True)
    return hashlib.blake2b(whole.encode(), digest_size=16).hexdigest()

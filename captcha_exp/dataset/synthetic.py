"""Renders labelled images on this machine. Equal configurations give equal images."""

import importlib.metadata
import importlib.util
import io
import random
import string
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from PIL import Image, features

from captcha_exp.config import SyntheticConfig
from captcha_exp.dataset.samples import Sample, Source, label_problem
from captcha_exp.errors import InputError

# Raise this number with every change here that changes pixels or labels.
GENERATOR_VERSION = 1
# The `captcha` package's own size for four or five characters. Images are rendered at this size and then resized like
# all others, so the dataset stays the same if a sweep searches over the image size.
_HEIGHT = 60
_MIN_WIDTH = 160
_WIDTH_PER_CHARACTER = 32
_DEJAVU = ("Sans", "Sans-Bold", "Sans-Oblique", "SansMono", "SansMono-Bold", "Serif", "Serif-Bold")
_T = TypeVar("_T")


def open_synthetic(config: SyntheticConfig) -> Source:
    """The samples; their images are rendered later.

    Raises:
        InputError: a character of `dataset.characters` cannot be a label or is missing from the fonts.
    """
    for character in config.characters:
        if label_problem(character) or character.isspace() or not _drawable(character):
            raise InputError(f"dataset.characters has {character!r}, which the fonts of dataset=synthetic cannot draw.")
    width = max(_MIN_WIDTH, _WIDTH_PER_CHARACTER * config.max_length)
    stamp = f"{GENERATOR_VERSION} {width} {_versions()}"
    samples = []
    for index in range(config.size):
        label = _label(config, index)
        samples.append(Sample(f"synthetic-{index:06d}", label, "synthetic", f"{config.seed}:{index}:{label}", stamp))
    uri = f"synthetic:{config.characters}?size={config.size}&seed={config.seed}"
    return Source("synthetic", uri, samples, [], Renderer(width))


@dataclass(frozen=True)
class Renderer:
    """Renders `seed:index:label` at `width` pixels, with the same result in every process."""

    width: int

    def __call__(self, locator: str) -> bytes:
        """The rendered image as a PPM file, which is the fastest format to write and read."""
        package = _captcha_package()
        generator = _generator(self.width)
        package.secrets.rng.seed(locator)
        image = generator.generate_image(locator.split(":", 2)[2])
        buffer = io.BytesIO()
        image.save(buffer, "PPM")
        return buffer.getvalue()


class _SeededSecrets:
    """Replaces the module `secrets`, from which the `captcha` package draws all its random numbers."""

    def __init__(self) -> None:
        self.rng = random.Random()

    def randbelow(self, bound: int) -> int:
        return self.rng.randrange(bound)

    def randbits(self, bits: int) -> int:
        return self.rng.getrandbits(bits)

    def choice(self, values: Sequence[_T]) -> _T:
        return self.rng.choice(values)


@cache
def _captcha_package() -> ModuleType:
    """A private copy of `captcha.image`. If the shared module were seeded, other code's captchas could be guessed."""
    spec = importlib.util.find_spec("captcha.image")
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError("dataset=synthetic needs the package `captcha`.", name="captcha")
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.secrets = _SeededSecrets()
    return module


@cache
def _generator(width: int) -> Any:
    package = _captcha_package()
    return package.ImageCaptcha(width, _HEIGHT, fonts=_font_files())


@cache
def _font_files() -> list[str]:
    # find_spec does not run the package. Importing Matplotlib would take longer than rendering a hundred images.
    spec = importlib.util.find_spec("matplotlib")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("dataset=synthetic needs the package `matplotlib`.", name="matplotlib")
    folder = Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf"
    return [*_captcha_package().DEFAULT_FONTS, *(str(folder / f"DejaVu{style}.ttf") for style in _DEJAVU)]


def _drawable(character: str) -> bool:
    """Whether every font has a character. A font draws a missing one as the same box as an unassigned code point."""
    if character in string.ascii_letters + string.digits:
        return True
    fonts = _generator(_MIN_WIDTH).truefonts
    return all(bytes(font.getmask(character)) != bytes(font.getmask("\uffff")) for font in fonts)


def _label(config: SyntheticConfig, index: int) -> str:
    rng = random.Random(f"label:{config.seed}:{config.characters}:{config.min_length}-{config.max_length}:{index}")
    return "".join(rng.choices(config.characters, k=rng.randint(config.min_length, config.max_length)))


def _versions() -> str:
    """The versions of everything else that can change a pixel."""
    python = ".".join(map(str, sys.version_info[:2]))
    packages = " ".join(f"{name} {importlib.metadata.version(name)}" for name in ("captcha", "matplotlib"))
    return f"python {python} {packages} pillow {Image.__version__} freetype {features.version('freetype2')}"

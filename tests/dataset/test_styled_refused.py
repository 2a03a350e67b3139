"""Families of style that cannot be drawn are refused in one line that names the key."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from captcha_exp.config import Config, StyledConfig, load_config, to_plain
from captcha_exp.dataset.samples import Source
from captcha_exp.dataset.styled import open_styled
from captcha_exp.dataset.styled.fonts import SHIPPED, can_draw, font_file
from captcha_exp.errors import InputError

Compose = Callable[..., Config]


def opened(compose: Compose, *overrides: str) -> Source:
    dataset = compose("dataset=styled", "dataset.size=20", *overrides).dataset
    assert isinstance(dataset, StyledConfig)
    return open_styled(dataset)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("dataset/style=[]", "dataset.styles has no family; choose some, e.g. `'dataset/style=[lines,plate]'`."),
        ("dataset.fonts=[]", "dataset.fonts must be null or at least one font, not []."),
        ("dataset.styles.lines.fonts=[]", "dataset.styles.lines.fonts must be at least one font, not []."),
        (
            "dataset.styles.lines.angle=[10,-10]",
            "dataset.styles.lines.angle must be a range [low, high] between -90 and 90, not [10, -10].",
        ),
        (
            "dataset.styles.lines.noise=[5]",
            "dataset.styles.lines.noise must be a range [low, high] between 0 and 255, not [5].",
        ),
        (
            "dataset.styles.lines.blur=[0,inf]",
            "dataset.styles.lines.blur must be a range [low, high] between 0 and 10, not [0, inf].",
        ),
        ("dataset.styles.lines.negative=2", "dataset.styles.lines.negative must be from 0 to 1, not 2."),
        ("dataset.styles.lines.height=8", "dataset.styles.lines.height must be from 16 to 128 pixels, not 8."),
        ("dataset.styles.lines.width=9999", "dataset.styles.lines.width must be from 16 to 2048 pixels, not 9999."),
        (
            "dataset.styles.lines.ink=[0,180]",
            "dataset.styles.lines.ink must be at least 60 grey levels darker or lighter than paper throughout, "
            "not [0.0, 180.0] on [205.0, 252.0].",
        ),
        (
            "dataset.styles.lines.texture=silk",
            "dataset.styles.lines.texture must be one of none, paper, brushed, weave, not 'silk'.",
        ),
        (
            "dataset.styles.lines.dots=0.1",
            "dataset.styles.lines.dots must be a range [low, high] between 0 and 1, not 0.1.",
        ),
    ],
)
def test_a_value_that_cannot_be_drawn(override: str, message: str, compose: Compose) -> None:
    with pytest.raises(InputError) as caught:
        compose("dataset=styled", override)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_family_whose_name_no_key_can_have(compose: Compose) -> None:
    plain = to_plain(compose("dataset=styled", "dataset/style=lines"))
    plain["dataset"]["styles"] = {"a/b": plain["dataset"]["styles"]["lines"]}
    with pytest.raises(InputError) as caught:
        load_config(plain)
    assert str(caught.value) == "dataset.styles: a family is named with letters, digits, `_` and `-`, not 'a/b'."


def test_a_font_that_is_nowhere(compose: Compose) -> None:
    expected = r"^dataset\.styles\.lines\.fonts has 'Arial', which is neither a file nor a shipped font \(DejaVuSans, "
    with pytest.raises(InputError, match=expected):
        opened(compose, "dataset.styles.lines.fonts=[DejaVuSans,Arial]")


def test_a_file_that_is_no_font(compose: Compose, tmp_path: Path) -> None:
    (tmp_path / "mine.ttf").write_bytes(b"no font")
    with pytest.raises(InputError, match=r"^dataset\.fonts has '.*mine\.ttf', which is not readable as a font \("):
        opened(compose, f"dataset.fonts=[{tmp_path / 'mine.ttf'}]")


def test_fonts_of_ones_own_take_the_place_of_every_familys(compose: Compose, tmp_path: Path) -> None:
    shutil.copy(font_file("DejaVuSans-Bold", "fonts"), tmp_path / "mine.ttf")
    own, bold, sans = (
        opened(compose, f"dataset.fonts=[{font}]", "dataset.characters='Жé7'")
        for font in (tmp_path / "mine.ttf", "DejaVuSans-Bold", "DejaVuSans")
    )
    for ours, same, other in zip(own.samples, bold.samples, sans.samples, strict=True):
        assert ours.stamp == same.stamp != other.stamp
        assert own.load(ours.locator) == bold.load(same.locator) != sans.load(other.locator)


@pytest.mark.parametrize(
    ("characters", "message"),
    [
        (
            "ab漢",
            "dataset.characters has '漢', which DejaVuSerif of dataset.styles.plain.fonts cannot draw; "
            "remove the character, or choose other fonts with `dataset.styles.plain.fonts=[...]`.",
        ),
        ("a b", "dataset.characters has ' ', which cannot be part of a label."),
        ("a\uffff", "dataset.characters has '\\uffff', which cannot be part of a label."),
    ],
)
def test_a_character_that_cannot_be_drawn(characters: str, message: str, compose: Compose) -> None:
    with pytest.raises(InputError) as caught:
        opened(compose, "dataset/style=plain", f"dataset.characters='{characters}'")
    assert str(caught.value) == message


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_font_draws_letters_and_digits(name: str) -> None:
    path = font_file(name, "fonts")
    assert all(can_draw(path, character) for character in "AZaz09gQ&+")
    assert not can_draw(path, "漢")

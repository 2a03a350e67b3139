"""Images in families of style: legible, the same for the same configuration."""

import io
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from captcha_exp.child_processes import in_chunks
from captcha_exp.config import Config, StyleConfig, StyledConfig, conf_dir
from captcha_exp.config.schema.style import MIN_CONTRAST
from captcha_exp.dataset import prepare_dataset
from captcha_exp.dataset.decode_images import Decoder, create_output
from captcha_exp.dataset.samples import Source
from captcha_exp.dataset.styled import open_styled
from captcha_exp.dataset.styled.colors import Palette
from captcha_exp.dataset.styled.layout import lay_out
from captcha_exp.dataset.styled.renderer import Family, render
from captcha_exp.reader.image import Channels, ImageSpec, decode_image

Compose = Callable[..., Config]
FAMILIES = sorted(path.stem for path in (conf_dir() / "dataset" / "style").glob("*.yaml"))
# Wide, narrow, tall, deep, with a mark above.
DIFFICULT = ["WWWWWWWWWWWW", "gjpqyQ", "iIl1.|", "ÅÉÑçgy", "M"]


def styled(compose: Compose, *overrides: str) -> StyledConfig:
    dataset = compose("dataset=styled", "dataset.size=90", *overrides).dataset
    assert isinstance(dataset, StyledConfig)
    return dataset


def opened(compose: Compose, *overrides: str) -> Source:
    return open_styled(styled(compose, *overrides))


def family_of(compose: Compose, name: str) -> Family:
    source = opened(compose, f"dataset/style=[{name}]")
    (family,) = source.load.families  # type: ignore[attr-defined]
    return family


@pytest.mark.parametrize("name", FAMILIES)
def test_each_family_composes_alone_under_its_own_name(name: str, compose: Compose) -> None:
    assert list(styled(compose, f"dataset/style={name}").styles) == [name]
    header, purpose = (conf_dir() / "dataset" / "style" / f"{name}.yaml").read_text().splitlines()[:2]
    assert header == f"# @package dataset.styles.{name}"
    assert purpose.startswith("# ")


def test_every_value_of_a_family_is_explained_where_its_type_is() -> None:
    for name in StyleConfig.model_fields:
        assert f"`{name}`" in (StyleConfig.__doc__ or ""), name


def test_all_families_are_mixed_by_default_in_equal_parts_and_each_image_tells_its_own(compose: Compose) -> None:
    config = compose("dataset=styled", f"dataset.size={10 * len(FAMILIES)}")
    dataset = prepare_dataset(config.dataset, config.root_path)
    assert len(FAMILIES) >= 6
    assert Counter(origin for split in dataset.splits for origin in split.origins) == dict.fromkeys(FAMILIES, 10)


def test_a_familys_images_stay_the_same_whichever_others_are_mixed_in_and_in_whichever_order(compose: Compose) -> None:
    alone, mixed, turned = (
        opened(compose, f"dataset/style=[{families}]", "dataset.size=12")
        for families in ("plate", "lines,plate", "plate,lines")
    )
    assert mixed.samples == turned.samples
    plates = [sample for sample in mixed.samples if sample.origin == "plate"]
    for one, same in zip(alone.samples, plates, strict=False):
        assert (one.name, one.label) == (same.name, same.label)
        assert alone.load(one.locator) == mixed.load(same.locator)


def test_the_seed_changes_labels_and_pixels_and_the_size_only_adds(compose: Compose) -> None:
    first, longer, other = opened(compose), opened(compose, "dataset.size=120"), opened(compose, "dataset.seed=1")
    assert longer.samples[:90] == first.samples
    assert [s.label for s in other.samples] != [s.label for s in first.samples]
    assert first.load("0:0:0:AB4") == first.load("0:0:0:AB4") != first.load("1:0:0:AB4")


def test_families_in_colour_are_seen_in_colour(compose: Callable[..., Config]) -> None:
    source = opened(compose, "dataset/style=[lines]", "dataset.size=8")
    for sample in source.samples:
        image = decode_image(source.load(sample.locator), ImageSpec(40, 150, False, 255, Channels.rgb))
        assert image.shape == (40, 150, 3) and np.ptp(image.astype(int), axis=2).max() > 20


def test_images_rendered_in_children_equal_those_rendered_here(compose: Compose, tmp_path: Path) -> None:
    source = opened(compose, "dataset.size=270")
    spec = ImageSpec(40, 150, False, 255)
    create_output(tmp_path / "images.bin", 270, spec)
    decoder = Decoder(source.load, spec, str(tmp_path / "images.bin"))
    for _ in in_chunks(decoder, [sample.locator for sample in source.samples], worth_children_s=0):
        pass
    images = np.fromfile(tmp_path / "images.bin", np.uint8).reshape(270, 40, 150)
    for sample, image in zip(source.samples[::-1], images[::-1], strict=True):
        np.testing.assert_array_equal(image, decode_image(source.load(sample.locator), spec))


def test_other_processes_render_the_same_pixels(tmp_path: Path) -> None:
    script = (
        "import hashlib\n"
        "from hydra import compose, initialize_config_dir\n"
        "from captcha_exp.config import conf_dir, load_config\n"
        "from captcha_exp.dataset.styled import open_styled\n"
        "with initialize_config_dir(str(conf_dir()), version_base='1.3'):\n"
        "    source = open_styled(load_config(compose('config', ['dataset=styled', 'dataset.size=45'])).dataset)\n"
        "files = b''.join(source.load(sample.locator) for sample in source.samples)\n"
        "print(hashlib.sha256(files + repr(source.samples).encode()).hexdigest())\n"
    )
    hashes = {
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=env).stdout
        for env in ({**os.environ, "PYTHONHASHSEED": seed} for seed in "12")
    }
    assert len(hashes) == 1


@pytest.mark.parametrize("name", FAMILIES)
def test_no_character_is_cut_off(name: str, compose: Compose) -> None:
    family = family_of(compose, name)
    for seed in range(60):
        layout = lay_out(DIFFICULT[seed % len(DIFFICULT)], family.style, family.fonts, random.Random(seed))
        assert layout.width >= family.style.width
        bend = family.style.wave[1] * family.style.height
        for glyph in layout.placed:
            left, top, right, bottom = glyph.mask.getbbox() or (0, 0, 0, 0)
            assert min(glyph.x + left, glyph.y + top) >= bend
            assert glyph.x + right <= layout.width - bend
            assert glyph.y + bottom <= family.style.height - bend


@pytest.mark.parametrize("name", FAMILIES)
def test_text_stands_out_from_what_is_around_it(name: str, compose: Compose) -> None:
    """The layout is what an image draws first, so the same chance tells where its characters are."""
    family = family_of(compose, name)
    if family.style.same_ink:  # strokes of the text's own colour and strong bends hide it, and edges have no middle
        plain = {"lines": [0, 0], "arcs": [0, 0], "wave": [0.0, 0.0], "edges": 0.0}
        family = replace(family, style=family.style.model_copy(update=plain))
    for seed in range(40):
        layout = lay_out("H8kW", family.style, family.fonts, random.Random(seed))
        ink = np.zeros((family.style.height, layout.width), np.uint8)
        for glyph in layout.placed:
            mask = np.asarray(glyph.mask)
            place = ink[glyph.y : glyph.y + mask.shape[0], glyph.x : glyph.x + mask.shape[1]]
            np.maximum(place, mask, out=place)
        shown = np.asarray(Image.open(io.BytesIO(render("H8kW", family, random.Random(seed)))).convert("L"), np.float32)
        top, bottom = np.flatnonzero(ink.any(1))[[0, -1]]
        left, right = np.flatnonzero(ink.any(0))[[0, -1]]
        ink, shown = ink[top : bottom + 1, left : right + 1], shown[top : bottom + 1, left : right + 1]
        # Blur, bends and JPEG take something off thin characters.
        assert abs(shown[ink > 200].mean() - shown[ink == 0].mean()) > MIN_CONTRAST / 3


def test_a_color_has_the_grey_level_drawn_for_it() -> None:
    rng = random.Random(0)
    for level in range(0, 256, 5):
        for _ in range(20):
            color = Palette("RGB", False).draw(rng, [level, level], [0, 1])
            (grey,) = Image.new("RGB", (1, 1), color).convert("L").tobytes()
            assert abs(grey - level) <= 1
            assert Palette("L", True).draw(rng, [level, level], [0, 0]) == (255 - level,)


def test_labels_have_the_configured_characters_and_lengths(compose: Compose) -> None:
    samples = opened(compose, "dataset.characters=abK", "dataset.min_length=2", "dataset.max_length=4").samples
    assert {len(sample.label) for sample in samples} == {2, 3, 4}
    assert set("".join(sample.label for sample in samples)) == set("abK")


def test_long_labels_widen_the_picture(compose: Compose) -> None:
    source = opened(compose, "dataset.min_length=20", "dataset.max_length=20", "dataset.image_width=400")
    for sample in source.samples[: len(FAMILIES)]:
        assert Image.open(io.BytesIO(source.load(sample.locator))).width > 200


def test_what_changes_pixels_changes_the_stamp_of_that_family_alone(compose: Compose) -> None:
    before = opened(compose).samples
    after = opened(compose, "dataset.styles.plate.noise=[0,1]").samples
    changed = {old.origin for old, new in zip(before, after, strict=True) if old.stamp != new.stamp}
    assert changed == {"plate"}


def test_a_new_family_is_one_file(tmp_path: Path) -> None:
    style = tmp_path / "conf" / "dataset" / "style"
    style.mkdir(parents=True)
    (style / "receipt.yaml").write_text(
        "# @package dataset.styles.receipt\ndefaults:\n  - plain@_here_\n  - _self_\nheight: 32\nblur: [0.5, 1]\n"
    )
    command = [sys.executable, "-m", "captcha_exp.prepare", f"hydra.searchpath=[file://{tmp_path / 'conf'}]"]
    command += [f"root={tmp_path}", "dataset=styled", "dataset/style=[receipt,lines]", "dataset.size=40"]
    told = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert told.returncode == 0, told.stderr
    assert "20 lines, 20 receipt" in told.stdout


def test_help_lists_the_families(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "captcha_exp", "--help"]
    told = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True).stdout
    assert f"dataset/style: {', '.join(FAMILIES)}" in told

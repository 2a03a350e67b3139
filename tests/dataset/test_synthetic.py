"""Rendered images: the same configuration, the same pixels."""

import secrets
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import captcha.image
import numpy as np
import pytest

from captcha_exp.child_processes import in_chunks
from captcha_exp.config import Config
from captcha_exp.dataset import prepare_dataset
from captcha_exp.dataset.decode_images import Decoder, create_output
from captcha_exp.dataset.samples import Source
from captcha_exp.dataset.synthetic import open_synthetic
from captcha_exp.errors import InputError
from captcha_exp.reader.image import ImageSpec, decode_image

Compose = Callable[..., Config]
SMALL = ("dataset=synthetic", "dataset.size=60")


def opened(compose: Compose, *overrides: str) -> Source:
    return open_synthetic(compose(*SMALL, *overrides).dataset)  # type: ignore[arg-type]


def test_images_rendered_in_children_equal_those_rendered_here(compose: Compose, tmp_path: Path) -> None:
    source = opened(compose, "dataset.size=300")
    spec = ImageSpec(20, 64, False, 255)
    create_output(tmp_path / "images.bin", 300, spec)
    decoder = Decoder(source.load, spec, str(tmp_path / "images.bin"))
    decoded = list(in_chunks(decoder, [sample.locator for sample in source.samples], worth_children_s=0))
    assert sum(map(len, decoded)) == 300
    images = np.fromfile(tmp_path / "images.bin", np.uint8).reshape(300, 20, 64)
    for index in (0, 150, 299):
        expected = decode_image(source.load(source.samples[index].locator), spec)
        np.testing.assert_array_equal(images[index], expected)


def test_another_process_renders_the_same_pixels(compose: Compose, tmp_path: Path) -> None:
    script = (
        "import hashlib, sys\n"
        "from captcha_exp.dataset.synthetic import Renderer\n"
        "print(hashlib.sha256(Renderer(160)('0:7:4711')).hexdigest())\n"
    )
    hashes = {
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=env).stdout
        for env in ({"PYTHONHASHSEED": "1"}, {"PYTHONHASHSEED": "2"})
    }
    assert len(hashes) == 1


def test_the_seed_changes_labels_and_pixels_and_the_size_only_adds(compose: Compose) -> None:
    first, longer, other = opened(compose), opened(compose, "dataset.size=80"), opened(compose, "dataset.seed=1")
    assert longer.samples[:60] == first.samples
    assert [s.label for s in other.samples] != [s.label for s in first.samples]
    assert first.load("0:0:42") == first.load("0:0:42") != first.load("1:0:42")


def test_labels_have_the_configured_characters_and_lengths(compose: Compose) -> None:
    samples = opened(compose, "dataset.characters=abK", "dataset.min_length=2", "dataset.max_length=4").samples
    assert {len(sample.label) for sample in samples} == {2, 3, 4}
    assert set("".join(sample.label for sample in samples)) == set("abK")


def test_the_dataset_stays_the_same_at_another_image_size(compose: Compose) -> None:
    configs = [compose(*SMALL), compose(*SMALL, "dataset.image_height=20", "dataset.image_width=64")]
    small, large = (prepare_dataset(config.dataset, config.root_path) for config in configs)
    assert small.fingerprint == large.fingerprint
    assert small.train.labels == large.train.labels
    assert small.train.images.shape[1:] != large.train.images.shape[1:]


def test_long_labels_are_not_squeezed_into_the_usual_width(compose: Compose) -> None:
    source = opened(compose, "dataset.min_length=12", "dataset.max_length=12", "dataset.image_width=256")
    assert source.load(source.samples[0].locator).startswith(b"P6\n384 60\n")


@pytest.mark.parametrize("character", ["漢", "\uffff", " ", "\t"])
def test_a_character_that_the_fonts_lack_is_refused(compose: Compose, character: str) -> None:
    config = compose(*SMALL).dataset.model_copy(update={"characters": f"ab{character}"})
    with pytest.raises(
        InputError, match=r"dataset\.characters has .*, which the fonts of dataset=synthetic cannot draw"
    ):
        open_synthetic(config)  # type: ignore[arg-type]


def test_other_alphabets_that_the_fonts_have_are_drawn(compose: Compose) -> None:
    config = compose(*SMALL).dataset.model_copy(update={"characters": "é?+"})
    assert open_synthetic(config).samples  # type: ignore[arg-type]


def test_seeding_leaves_the_captcha_package_of_others_random(compose: Compose) -> None:
    source = opened(compose)
    source.load(source.samples[0].locator)
    assert captcha.image.secrets is secrets

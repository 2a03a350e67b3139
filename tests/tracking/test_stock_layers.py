"""What a network may be made of: all that we build, and nothing else that Keras knows."""

import importlib
import json
import re
import zipfile
from collections.abc import Callable
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from captcha_exp.config import Activation, Config, PositionEmbedding, conf_dir
from captcha_exp.errors import InputError
from captcha_exp.tracking.keras_file import check_network, check_readable
from captcha_exp.tracking.stock_layers import BUILT, FOR_BUILDERS

DOCS = Path(__file__).resolve().parents[2] / "docs"
CNNS = sorted(path.stem for path in (conf_dir() / "cnn").glob("*.yaml"))
TRANSFORMERS = sorted(path.stem for path in (conf_dir() / "transformer").glob("*.yaml"))
SMALL = ["dataset.image_height=32", "dataset.image_width=48", "dataset.max_length=4"]
# Each of them once: which layers stand together makes no difference, since every layer is read back by itself.
CHOICES = [
    *([f"cnn={cnn}", f"transformer={name}"] for cnn, name in zip_longest(CNNS, TRANSFORMERS, fillvalue="original")),
    *([f"cnn.activation={kind.name}", f"transformer.activation={kind.name}", "cnn.dropout=0.1"] for kind in Activation),
    *([f"transformer.position_embedding={kind.name}"] for kind in PositionEmbedding),
]


def build(config: Config) -> Any:
    from captcha_exp.model import build_recogniser, with_probabilities

    size = config.dataset.image_height, config.dataset.image_width
    return with_probabilities(build_recogniser(config.cnn, config.transformer, *size, 5, seed=0))


def classes_of(value: Any) -> set[tuple[str, str]]:
    """Module and name of every class in the architecture of a `.keras` file."""
    if isinstance(value, list):
        return set().union(*map(classes_of, value))
    if not isinstance(value, dict):
        return set()
    own = {(value["module"], value["class_name"])} if "module" in value else set()
    return own.union(*map(classes_of, value.values()))


def test_every_shipped_choice_is_read_back_and_no_class_is_allowed_in_vain(
    compose: Callable[..., Config], tmp_path: Path
) -> None:
    made: set[tuple[str, str]] = set()
    for index, choices in enumerate(CHOICES):
        path = tmp_path / f"{index}.keras"
        model = build(compose(*SMALL, *choices))
        model.save(path)
        with zipfile.ZipFile(path) as archive:
            made |= classes_of(json.loads(archive.read("config.json")))
        loaded = check_network(path, "model=x").rebuild()
        kept = zip(loaded.get_weights(), model.get_weights(), strict=True)
        assert all(np.array_equal(one, two) for one, two in kept), choices
    assert made == {(module, name) for module, names in BUILT.items() for name in names}


def test_what_a_builder_may_use_is_read_back_and_told(compose: Callable[..., Config], tmp_path: Path) -> None:
    import keras

    images, sequence = keras.Input((8, 8, 4)), keras.Input((8, 4))
    convolution = {"filters": 4, "kernel_size": 3}
    needed = {
        "AveragePooling2D": {"pool_size": 2},
        "Conv1D": convolution,
        "Conv2DTranspose": convolution,
        "DepthwiseConv1D": {"kernel_size": 3},
        "DepthwiseConv2D": {"kernel_size": 3},
        "GroupNormalization": {"groups": 2},
        "SeparableConv1D": convolution,
        "SeparableConv2D": convolution,
        "SpatialDropout1D": {"rate": 0.1},
        "SpatialDropout2D": {"rate": 0.1},
    }
    merging = {"Average", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract"}
    for name in sorted(FOR_BUILDERS["keras.layers"]):
        layer = getattr(keras.layers, name)(**needed.get(name, {}))
        inputs = sequence if name.endswith("1D") else images
        model = keras.Model(inputs, layer([inputs, inputs] if name in merging else inputs))
        model.save(tmp_path / "own.keras")
        assert check_network(tmp_path / "own.keras", "model=x").rebuild().output_shape == model.output_shape, name
    for module, names in FOR_BUILDERS.items():
        assert {name for name in names if not hasattr(importlib.import_module(module), name)} == set()
    page = (DOCS / "extending.md").read_text().split("`tracking.log_model=false`):")[1].split(".\n")[0]
    told = set(re.findall(r"`(\w+)`", page))
    assert told >= FOR_BUILDERS["keras.layers"]
    assert told <= FOR_BUILDERS["keras.layers"] | BUILT["keras.layers"]


def test_a_builder_of_other_layers_is_told_before_the_training() -> None:
    import keras

    images = keras.Input((4, 6, 1))
    model = keras.Model(images, keras.layers.Lambda(lambda x: x)(images))
    message = "cnn.builder=mine:build holds 'Lambda' of 'keras.layers', which is none of the stock Keras layers"
    with pytest.raises(InputError, match=f"^{re.escape(message)}"):
        check_readable(model, "cnn.builder=mine:build")

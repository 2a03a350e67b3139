"""The weights that come with this package, for trainings to start from."""

import hashlib
import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from captcha_exp.config import load_stored_config
from captcha_exp.files import replacing

if TYPE_CHECKING:
    import keras

# What `training.initial_model` is then.
SHIPPED = "shipped"
PACKED = "shipped_start.npz"


@dataclass(frozen=True)
class ShippedStart:
    """The shipped recogniser: float32 (B, H, W, C) in [0, 1] to logits (B, T, K).

    `characters[i]` is class `i + 1`. `config` holds what it was trained with, as plain values by group. `images` is the
    number of different rendered images that it has learnt from. `digest` is the SHA-256 of the file.
    """

    model: "keras.Model"
    characters: str
    config: dict[str, Any]
    images: int
    digest: str


def shipped_start() -> ShippedStart:
    """Build the recogniser that comes with the package."""
    with resources.as_file(resources.files("captcha_exp.experiment").joinpath(PACKED)) as packed:
        return unpacked(packed)


def unpacked(path: Path) -> ShippedStart:
    """Build the recogniser of a file that `pack` wrote."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    with np.load(path) as arrays:
        about = json.loads(arrays["about"].item())
        values = [arrays[str(index)].astype(np.float32) for index in range(len(arrays.files) - 1)]
    model = _built(about)
    model.set_weights(values)
    return ShippedStart(model, about["characters"], about["config"], about["images"], digest)


def pack(model: "keras.Model", characters: str, config: dict[str, Any], images: int, path: Path) -> None:
    """Write a trained recogniser as a file to ship: its weights in half precision, and what is needed to build it.

    Args:
        model: the trained one, with or without the softmax.
        characters: `characters[i]` is class `i + 1`.
        config: what it was trained with, as plain values by group.
        images: the number of different images that it has learnt from.
        path: the file, replaced.
    """
    weights = [weight.astype(np.float16) for weight in model.get_weights()]
    config = {**config, "root": "."}  # whose machine it was is nobody's business
    about = {"characters": characters, "config": config, "images": images}
    arrays = {str(index): weight for index, weight in enumerate(weights)}
    with replacing(path) as file:
        np.savez_compressed(file, about=np.array(json.dumps(about)), **arrays)  # type: ignore[arg-type]


def _built(about: dict[str, Any]) -> "keras.Model":
    from captcha_exp.model.configured import build_configured

    return build_configured(load_stored_config(about["config"]), len(about["characters"]) + 1)

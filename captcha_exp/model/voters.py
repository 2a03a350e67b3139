"""Joins several recognisers of one architecture into one model."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers

from captcha_exp.model.recogniser import with_probabilities


def build_voters(model: keras.Model, weights: Sequence[list[np.ndarray]]) -> keras.Model:
    """Build one model that runs all members and averages their probabilities. It has stock layers only.

    Each member's layers stand in the model themselves, not inside a nested model: a stored network may not hold one.

    Args:
        model: the members' architecture, from `build_recogniser`. It stays as it is.
        weights: for each member what `keras.Model.get_weights` returned.

    Returns:
        A model from float32 (B, H, W, C) to probabilities (B, T, K).
    """
    member = with_probabilities(model)
    images = keras.Input(model.input_shape[1:], name="image")
    copies = [_copied(member, images, f"member_{number}", values) for number, values in enumerate(weights, start=1)]
    return keras.Model(images, layers.Average(name="mean_probabilities")(copies), name="voters")


def mean_weights(weights: Sequence[list[np.ndarray]]) -> list[np.ndarray]:
    """Average the weights of members that started from the same weights, also the averages of batch normalisation.

    Args:
        weights: for each member what `keras.Model.get_weights` returned.

    Source:
        Wortsman et al. 2022 (uniform soup).
    """
    return [np.mean(values, axis=0, dtype=np.float64).astype(values[0].dtype) for values in zip(*weights, strict=True)]


def _copied(model: keras.Model, images: keras.KerasTensor, prefix: str, weights: list[np.ndarray]) -> Any:
    """The output of a copy of the model for `images`. Its layers have new names, and these weights."""
    made: dict[str, Any] = {}

    def copy(layer: Any) -> Any:
        # A layer that the model uses twice is one layer in the copy, too.
        if layer.name not in made:
            made[layer.name] = type(layer).from_config({**layer.get_config(), "name": f"{prefix}_{layer.name}"})
        return made[layer.name]

    copied = keras.models.clone_model(model, input_tensors=images, clone_function=copy)
    copied.set_weights(weights)
    return copied.output

"""Adds a second output to a model, for training only."""

import math

import keras
import numpy as np
from keras import layers

from captcha_exp.model.recogniser import FEATURES_LAYER

HEAD = "auxiliary_logits"


def with_auxiliary_head(model: keras.Model, seed: int) -> keras.Model:
    """Build the same network on the same weights with a second output: logits of what the sequence model receives.

    A CTC loss on them trains the feature extractor directly. The model itself stays as it is, and is the one that is
    saved.

    Args:
        model: what `build_recogniser` returned.
        seed: makes the initial weights of the new layer repeatable.

    Returns:
        A model from float32 (B, H, W, 1) to two logits, each (B, T, K).

    Source:
        Lee & Watanabe 2021 (intermediate CTC).
    """
    features = model.get_layer(FEATURES_LAYER).output
    head = layers.Dense(model.output.shape[-1], name=HEAD)
    outputs = [model.output, head(features)]
    # Each backend draws its own numbers for a seed; these are Glorot's bounds, and the same numbers for all.
    bound = math.sqrt(6 / sum(head.kernel.shape))
    head.kernel.assign(np.random.default_rng(seed).uniform(-bound, bound, head.kernel.shape))
    return keras.Model(model.input, outputs)


def head_state(head: keras.layers.Layer | None) -> dict[str, np.ndarray]:
    """Return the weights of a head by name, for the state of an engine. Without a head, nothing."""
    return {} if head is None else {f"{HEAD}_{index}": weight for index, weight in enumerate(head.get_weights())}


def restore_head(head: keras.layers.Layer | None, state: dict[str, np.ndarray]) -> None:
    """Give a head the weights in a state."""
    if head is not None:
        head.set_weights([state[f"{HEAD}_{index}"] for index in range(len(head.weights))])

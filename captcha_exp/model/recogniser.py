"""The recogniser: it turns an image into a distribution over classes for each time step."""

import random

import keras
import numpy as np
from keras import layers

from captcha_exp.config import CnnConfig, TransformerConfig
from captcha_exp.model.cnn import extract_features
from captcha_exp.model.transfer import OUTPUT_LAYER
from captcha_exp.model.transformer import model_sequence

FEATURES_LAYER = "feature_sequence"


def build_recogniser(
    cnn: CnnConfig,
    transformer: TransformerConfig,
    image_height: int,
    image_width: int,
    num_classes: int,
    *,
    channels: int = 1,
    seed: int | None = None,
) -> keras.Model:
    """Build the network that is trained. It consists only of layers that Keras itself has.

    Args:
        cnn: the feature extractor.
        transformer: the sequence model that follows.
        image_height: H, in pixels.
        image_width: W, in pixels.
        num_classes: K, including the blank.
        channels: C, 1 for grey images and 3 for colour images.
        seed: makes the initial weights repeatable; None draws new ones.

    Returns:
        A model from float32 (B, H, W, C) in [0, 1] to logits (B, T, K).
    """
    # Without this call, a process that builds many models would keep their graphs in memory for long, and layer names
    # would count up from model to model. Models that are in use are not affected.
    keras.utils.clear_session()
    if seed is not None:
        _seed_initial_weights(seed)
    images = keras.Input((image_height, image_width, channels), name="image")
    x = extract_features(images, cnn)
    _, height, width, channels = x.shape
    x = layers.Permute((2, 1, 3))(x)  # (B, H', W', C) -> (B, W', H', C)
    x = layers.Reshape((width, height * channels), name=FEATURES_LAYER)(x)  # (B, W', H', C) -> (B, T, D)
    x = model_sequence(x, transformer)
    logits = layers.Dense(num_classes, name=OUTPUT_LAYER)(x)  # (B, T, D) -> (B, T, K)
    return keras.Model(images, logits, name="recogniser")


def _seed_initial_weights(seed: int) -> None:
    if keras.backend.backend() == "tensorflow":
        keras.utils.set_random_seed(seed)
    else:
        # `set_random_seed` would import TensorFlow, which takes seconds. Keras draws its seeds from Python's generator.
        random.seed(seed)
        np.random.seed(seed)


def with_probabilities(model: keras.Model) -> keras.Model:
    """Add a softmax to the network, with the same weights. This model is evaluated and saved.

    Args:
        model: a model from `build_recogniser`.

    Returns:
        A model from float32 (B, H, W, C) to probabilities (B, T, K).
    """
    probabilities = layers.Softmax(name="probabilities")(model.output)
    return keras.Model(model.input, probabilities, name="recogniser")

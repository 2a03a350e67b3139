"""The recogniser: an image in, a distribution over classes for each time step out."""

import random

import keras
import numpy as np
from keras import layers

from captcha_exp.config import CnnConfig, TransformerConfig
from captcha_exp.model.cnn import extract_features
from captcha_exp.model.transfer import OUTPUT_LAYER
from captcha_exp.model.transformer import model_sequence


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
    """Build the network that is trained, of stock Keras layers only.

    Args:
        cnn: the feature extractor.
        transformer: the sequence model behind it.
        image_height: H, in pixels.
        image_width: W, in pixels.
        num_classes: K, the blank included.
        channels: C, 1 for grey images and 3 for those in colour.
        seed: makes the initial weights repeatable; null draws new ones.

    Returns:
        A model from float32 (B, H, W, C) in [0, 1] to logits (B, T, K).
    """
    # A process that builds one model after another would otherwise keep the graphs of all of them until Python's own
    # collection, and number their layers on. Models that are still in use are not harmed.
    keras.utils.clear_session()
    if seed is not None:
        _seed_initial_weights(seed)
    images = keras.Input((image_height, image_width, channels), name="image")
    x = extract_features(images, cnn)
    _, height, width, channels = x.shape
    x = layers.Permute((2, 1, 3))(x)  # (B, H', W', C) -> (B, W', H', C)
    x = layers.Reshape((width, height * channels))(x)  # (B, W', H', C) -> (B, T, D)
    x = model_sequence(x, transformer)
    logits = layers.Dense(num_classes, name=OUTPUT_LAYER)(x)  # (B, T, D) -> (B, T, K)
    return keras.Model(images, logits, name="recogniser")


def _seed_initial_weights(seed: int) -> None:
    if keras.backend.backend() == "tensorflow":
        keras.utils.set_random_seed(seed)
    else:  # the same function would load TensorFlow for seconds; Keras itself draws its seeds from Python's generator
        random.seed(seed)
        np.random.seed(seed)


def with_probabilities(model: keras.Model) -> keras.Model:
    """The same network and weights with a softmax at its end: the model that is evaluated and saved.

    Args:
        model: what `build_recogniser` returned.

    Returns:
        A model from float32 (B, H, W, C) to probabilities (B, T, K).
    """
    probabilities = layers.Softmax(name="probabilities")(model.output)
    return keras.Model(model.input, probabilities, name="recogniser")

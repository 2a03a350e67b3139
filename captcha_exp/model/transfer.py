"""Copies the weights of one recogniser into another."""

import keras
import numpy as np
from keras import ops

from captcha_exp.errors import InputError
from captcha_exp.reader.image import LUMA
from captcha_exp.reader.vocabulary import BLANK

OUTPUT_LAYER = "logits"
_POSITIONS = "position_embedding"


def adopt_weights(model: keras.Model, characters: str, source: keras.Model, source_characters: str) -> str:
    """Copy the weights of a trained recogniser into one of the same architecture.

    Their alphabets, image sizes and channels may differ. All layers below the output layer are copied. Weights that
    depend on the image size are interpolated: positions along the width, and the first weights after the feature map
    along the height. The first kernel is summed over the channels, or shared out among them. In the output layer only
    the classes that both models know are copied, including the blank. The other classes keep their initial weights.

    Args:
        model: a model from `build_recogniser`. It is changed in place.
        characters: `characters[i]` is class `i + 1` of the model.
        source: the trained model, with or without the softmax.
        source_characters: `source_characters[i]` is class `i + 1` of the source.

    Returns:
        The characters that both models know.

    Raises:
        InputError: the architectures differ.
    """
    below, trained = _below_output(model), _below_output(source)
    if len(below) != len(trained):
        raise InputError("The two models are not built alike: they differ in the number of their layers' weights.")
    heights = _feature_height(source), _feature_height(model)
    for weight, value in zip(below, trained, strict=True):
        weight.assign(_fitted(ops.convert_to_numpy(value), tuple(weight.shape), weight.path, heights))
    output, learnt = model.get_layer(OUTPUT_LAYER), source.get_layer(OUTPUT_LAYER)
    shared = [character for character in characters if character in set(source_characters)]
    ids = [BLANK] + [characters.index(character) + 1 for character in shared]
    trained_ids = [BLANK] + [source_characters.index(character) + 1 for character in shared]
    adopted = []
    for weight, value in zip(output.weights, learnt.weights, strict=True):
        mixed = np.array(ops.convert_to_numpy(weight))  # (D, K) or (K,)
        shape = (*mixed.shape[:-1], value.shape[-1])
        mixed[..., ids] = _fitted(ops.convert_to_numpy(value), shape, value.path, heights)[..., trained_ids]
        adopted.append(mixed)
    output.set_weights(adopted)
    return "".join(shared)


def _below_output(model: keras.Model) -> list[keras.Variable]:
    return [weight for layer in model.layers if layer.name != OUTPUT_LAYER for weight in layer.weights]


def _feature_height(model: keras.Model) -> int:
    """H' of the feature map (B, H', W', C), before its columns become the time steps."""
    reshapes = (layer for layer in model.layers if isinstance(layer, keras.layers.Reshape))
    # A user's feature extractor may reshape tensors of other ranks before.
    height: int = next(layer.input.shape[2] for layer in reshapes if len(layer.input.shape) == 4)
    return height


def _fitted(value: np.ndarray, shape: tuple[int, ...], name: str, heights: tuple[int, int]) -> np.ndarray:
    """A weight of the source, fitted to the shape that it has in the other model."""
    if value.shape == shape:
        return value
    if value.ndim == len(shape) == 4 and {value.shape[2], shape[2]} == {1, 3} and value.shape[3] == shape[3]:
        # An image without colour gives the same features with one channel and with three.
        return value.sum(axis=2, keepdims=True) if shape[2] == 1 else value * np.array(LUMA, np.float32)[:, None]
    if value.ndim == len(shape) == 2 and value.shape[1] == shape[1]:
        if _POSITIONS in name:
            return _resampled(value, shape[0])
        before, after = heights
        if value.shape[0] % before == 0 and value.shape[0] // before * after == shape[0]:
            # Each feature sums over the height: with more rows, each row counts less.
            rows = value.reshape(before, -1)  # (H' C, D) -> (H', C D)
            return (_resampled(rows, after) * (before / after)).reshape(shape)
    raise InputError(
        f"The two models are not built alike: {name} has shape {value.shape} in one, {shape} in the other."
    )


def _resampled(rows: np.ndarray, count: int) -> np.ndarray:
    """A table of rows (N, D), interpolated linearly to (count, D) as an image is resized."""
    places = np.clip((np.arange(count) + 0.5) * len(rows) / count - 0.5, 0, len(rows) - 1)
    below = np.floor(places).astype(int)
    share = (places - below)[:, None].astype(np.float32)
    above = np.minimum(below + 1, len(rows) - 1)
    fitted: np.ndarray = rows[below] * (1 - share) + rows[above] * share
    return fitted

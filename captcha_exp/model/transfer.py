"""Copies the weights of one recogniser into another."""

import keras
import numpy as np

from captcha_exp.errors import InputError
from captcha_exp.reader.vocabulary import BLANK

OUTPUT_LAYER = "logits"


def adopt_weights(model: keras.Model, characters: str, source: keras.Model, source_characters: str) -> str:
    """Copy the weights of a trained recogniser into one of the same architecture. Their alphabets may differ.

    All layers below the output layer are copied. In the output layer only the classes that both models know are copied,
    including the blank. The other classes keep their initial weights.

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
    if [weight.shape for weight in below] != [weight.shape for weight in trained]:
        raise InputError("The two models are not built alike: the weights of their layers differ in number or shape.")
    for weight, value in zip(below, trained, strict=True):
        weight.assign(value)
    shared = [character for character in characters if character in set(source_characters)]
    ids = [BLANK] + [characters.index(character) + 1 for character in shared]
    trained_ids = [BLANK] + [source_characters.index(character) + 1 for character in shared]
    output = model.get_layer(OUTPUT_LAYER)
    adopted = []
    for weight, value in zip(output.get_weights(), source.get_layer(OUTPUT_LAYER).get_weights(), strict=True):
        mixed = np.array(weight)  # (D, K) or (K,)
        mixed[..., ids] = value[..., trained_ids]
        adopted.append(mixed)
    output.set_weights(adopted)
    return "".join(shared)


def _below_output(model: keras.Model) -> list[keras.Variable]:
    return [weight for layer in model.layers if layer.name != OUTPUT_LAYER for weight in layer.weights]

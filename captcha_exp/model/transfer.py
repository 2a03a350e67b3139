"""Weights of one recogniser taken over by another."""

import keras
import numpy as np

from captcha_exp.errors import InputError
from captcha_exp.reader.vocabulary import BLANK

OUTPUT_LAYER = "logits"


def adopt_weights(model: keras.Model, characters: str, source: keras.Model, source_characters: str) -> str:
    """Give a recogniser the weights of a trained one of the same architecture, whatever its alphabet.

    Everything below the output layer is copied. The output layer is the new one's own, but classes that both know,
    the blank among them, keep what was learnt of them.

    Args:
        model: what `build_recogniser` returned; changed in place.
        characters: `characters[i]` is its class `i + 1`.
        source: the trained model, with or without the softmax at its end.
        source_characters: the source's classes, likewise.

    Returns:
        The characters that both know.

    Raises:
        InputError: the two are not built alike.
    """
    below, trained = _below_output(model), _below_output(source)
    if [weight.shape for weight in below] != [weight.shape for weight in trained]:
        raise InputError("The two models are not built alike: their layers' weights differ in number or shape.")
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

"""Writes the network as a TensorFlow Lite file."""

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from captcha_exp.errors import InputError, joined_lines

# The file in a TFLite file that holds the description, as TFLite keeps what belongs to a model: in a zip at its end.
DESCRIPTION = "captcha_exp.json"


def tflite_bytes(model: keras.Model, description: Mapping[str, Any]) -> bytes:
    """The network as a TFLite file of built-in operators, with the description in it.

    The input is float32 (1, H, W, C) in [0, 1], the output the class probabilities, float32 (1, T, K).

    Args:
        model: the trained network.
        description: what a program needs to read images with this network, as plain values.

    Raises:
        InputError: the network has a layer for which TFLite has no built-in operator, or the backend of Keras is not
            TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        raise InputError(
            f"KERAS_BACKEND={keras.backend.backend()} writes no TFLite file; type the command with "
            "KERAS_BACKEND=tensorflow, which can load models of every backend."
        )
    file = io.BytesIO(_converted(model))
    with zipfile.ZipFile(file, "a") as appended:
        appended.writestr(DESCRIPTION, json.dumps(dict(description)))
    return file.getvalue()


def _converted(model: keras.Model) -> bytes:
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    # One image at a time: the LSTM of TFLite's own needs a batch of known size.
    shape = tf.TensorSpec((1, *model.input_shape[1:]), tf.float32, name="image")
    run = tf.function(lambda image: model(image, training=False), [shape], autograph=False)
    try:
        # Variables become constants: TFLite would keep them apart and lose their values.
        frozen = convert_variables_to_constants_v2(run.get_concrete_function())
        converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen], model)
        return converter.convert()
    except Exception as error:  # an operator that TFLite does not know raises an exception of the converter's own
        raise InputError(f"The network cannot be written as TFLite: {joined_lines(error)[:500]}") from error


def computed_by_tflite(data: bytes, images: np.ndarray) -> np.ndarray:
    """Class probabilities float32 (N, T, K) of float32 (N, H, W, C) in [0, 1], by a TFLite file."""
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(model_content=data, num_threads=1)
    interpreter.allocate_tensors()
    image, output = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    computed = []
    for one in images:
        interpreter.set_tensor(image, one[np.newaxis])
        interpreter.invoke()
        computed.append(interpreter.get_tensor(output)[0])
    return np.stack(computed)

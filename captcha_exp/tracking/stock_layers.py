"""The only classes that a network from a file may use."""

from collections.abc import Iterator
from typing import Any

from captcha_exp.errors import InputError
from captcha_exp.reader.untrusted import check_plain, shown

# Classes by their module in a `.keras` file. `model.build_recogniser` makes only these:
BUILT = {
    "keras": {"DTypePolicy"},
    "keras.initializers": {"GlorotUniform", "Ones", "Orthogonal", "RandomUniform", "Zeros"},
    "keras.layers": {
        *("Activation", "Add", "BatchNormalization", "Bidirectional", "Conv2D", "Dense", "Dropout", "Embedding"),
        *("InputLayer", "LSTM", "LayerNormalization", "MaxPooling2D", "MultiHeadAttention", "Permute", "Reshape"),
        "Softmax",
    },
    "keras.src.models.functional": {"Functional"},
    "keras.src.ops.nn": {"Gelu", "Sigmoid"},
    "keras.src.ops.numpy": {"Cumsum", "GetItem", "Multiply", "OnesLike", "Subtract"},
}
# A user's own `cnn.builder` or `transformer.builder` may also use these. They only compute; none of them calls, reads
# or holds code.
FOR_BUILDERS = {
    "keras.initializers": {
        *("Constant", "GlorotNormal", "HeNormal", "HeUniform", "LecunNormal", "LecunUniform", "RandomNormal"),
        *("TruncatedNormal", "VarianceScaling"),
    },
    "keras.layers": {
        *("Average", "AveragePooling2D", "Concatenate", "Conv1D", "Conv2DTranspose", "Cropping2D", "DepthwiseConv1D"),
        *("DepthwiseConv2D", "ELU", "SeparableConv1D", "SpatialDropout1D"),
        *("GlobalAveragePooling2D", "GlobalMaxPooling2D", "GroupNormalization", "LeakyReLU", "Maximum", "Minimum"),
        *("Multiply", "PReLU", "ReLU", "SeparableConv2D", "SpatialDropout2D", "Subtract", "UpSampling2D"),
        "ZeroPadding2D",
    },
    "keras.regularizers": {"L1", "L1L2", "L2"},
    "keras.src.ops.nn": {"Elu", "LeakyRelu", "Relu", "Silu", "Softmax"},
    "keras.src.ops.numpy": {"Add", "Concatenate", "Divide", "Max", "Mean", "Reshape", "Tanh", "Transpose"},
}
# Keras uses these marks in the arguments of a call. They have no module.
_MARKS = {"__keras_tensor__", "__slice__"}
_DTYPES = {"float32", "int32", "int64", "bool"}
_MAX_LAYERS = 2_000


def check_architecture(architecture: Any, where: str) -> None:
    """Refuse a network with anything but stock layers, before Keras makes any part of it.

    Args:
        architecture: a model as plain values, from `keras.saving.serialize_keras_object`.
        where: the user's name for the model, for messages.

    Raises:
        InputError: the network has something else; the message names it.
    """
    if not isinstance(architecture, dict) or architecture.get("class_name") != "Functional":
        kind = architecture.get("class_name") if isinstance(architecture, dict) else architecture
        raise InputError(f"{where} is a {shown(kind)}, not the Functional model that captcha_exp builds.")
    config = architecture.get("config")
    if not isinstance(config, dict) or not isinstance(config.get("layers"), list):
        raise InputError(f"{where} has no list of layers.")
    layers = config["layers"]
    if len(layers) > _MAX_LAYERS:
        raise InputError(f"{where} has {len(layers)} layers; at most {_MAX_LAYERS} are rebuilt.")
    for part in [*layers, {**architecture, "config": {**config, "layers": []}}]:
        check_plain(where, "a layer", part)
        for found in _mappings(part):
            _check_class(found, where)
    for layer in layers:
        if isinstance(layer, dict) and layer.get("class_name") == "Functional":
            raise InputError(f"{where} has a model as a layer, which captcha_exp does not build.")


def _check_class(found: dict[str, Any], where: str) -> None:
    dtype = found.get("dtype")
    if isinstance(dtype, str) and dtype not in _DTYPES:
        raise InputError(f"{where} computes in {shown(dtype)}, which captcha_exp does not build.")
    if found.get("unroll"):
        raise InputError(f"{where} has an unrolled layer, which captcha_exp does not build.")
    # Keras looks up a class by any of these names.
    if not {"class_name", "module", "registered_name"} & set(found):
        return
    module, name, registered = (found.get(key) for key in ("module", "class_name", "registered_name"))
    if isinstance(name, str) and name in _MARKS and set(found) == {"class_name", "config"}:
        return
    stock = isinstance(name, str) and isinstance(module, str) and name in _allowed(module)
    if not stock or registered not in (None, name):
        # If there is a registered name, Keras would look up that name.
        what = name if registered in (None, name) else registered
        raise InputError(
            f"{where} holds {shown(what)} of {shown(module)}, which is none of the stock Keras layers. Others could "
            "run code, so only these are loaded; docs/extending.md lists them."
        )


def _allowed(module: str) -> set[str]:
    return BUILT.get(module, set()) | FOR_BUILDERS.get(module, set())


def _mappings(value: Any) -> Iterator[dict[str, Any]]:
    """Every mapping inside plain values, at any depth."""
    todo = [value]
    while todo:
        found = todo.pop()
        if isinstance(found, dict):
            yield found
            todo += found.values()
        elif isinstance(found, list):
            todo += found

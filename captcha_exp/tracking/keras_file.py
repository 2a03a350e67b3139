"""Reads a network from an untrusted `.keras` file: checks it first, then rebuilds it, and runs no code from it."""

import json
import math
import stat
import tempfile
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from captcha_exp.errors import InputError
from captcha_exp.reader.metadata import MAX_ELEMENTS, MAX_NETWORK_BYTES
from captcha_exp.reader.untrusted import parse_json, read_file, shown
from captcha_exp.tracking.mlflow_text import one_line
from captcha_exp.tracking.stock_layers import check_architecture
from captcha_exp.tracking.weights_file import check_weights

if TYPE_CHECKING:
    import keras

_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
_MEMBERS = {"metadata.json": 2**16, _CONFIG: 2**24, _WEIGHTS: MAX_NETWORK_BYTES}
_FLOAT_BYTES = 4


@dataclass(frozen=True)
class CheckedNetwork:
    """A network of stock layers as read from its file.

    `weights` are the bytes of an HDF5 file. `where` is the user's name for the model.
    """

    architecture: dict[str, Any]
    weights: bytes
    where: str

    def rebuild(self) -> "keras.Model":
        """Make the model, in Keras' safe mode.

        Raises:
            InputError: layers and weights do not fit together, or are too large.
        """
        # The loss is not part of a saved model, so there is nothing to compile.
        model = _rebuild({**self.architecture, "compile_config": None}, self.where)
        with tempfile.TemporaryDirectory() as temporary:
            path = Path(temporary) / _WEIGHTS
            path.write_bytes(self.weights)
            try:
                model.load_weights(path)
            except Exception as error:
                raise InputError(f"{self.where}: its weights do not fit its layers: {one_line(error)}") from error
        return model


def check_network(path: Path, where: str) -> CheckedNetwork:
    """Read a `.keras` file once, and refuse it if it cannot be rebuilt safely. This does not need TensorFlow.

    Args:
        path: the file.
        where: the user's name for the model, for messages.

    Raises:
        InputError: the file is damaged, too large, or holds anything but stock layers and their weights.
    """
    members = _members(read_file(path, MAX_NETWORK_BYTES, where), where)
    architecture = parse_json(members[_CONFIG], f"{where}: {_CONFIG}")
    check_architecture(architecture, where)
    check_weights(members[_WEIGHTS], where)
    return CheckedNetwork(architecture, members[_WEIGHTS], where)


def check_readable(model: "keras.Model", where: str) -> None:
    """Refuse a model that could be saved but not loaded again.

    Args:
        model: a model that is about to be trained.
        where: the part of the configuration that built it, for messages.

    Raises:
        InputError: the model has such a layer; the message names it.
    """
    import keras

    check_architecture(parse_json(json.dumps(keras.saving.serialize_keras_object(model)), where), where)
    _check_sizes(model, where)


def _members(data: bytes, where: str) -> dict[str, bytes]:
    """The archive's files by name. Each is within its size limit."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            infos = archive.infolist()
            _check_members(infos, where)
            return {info.filename: archive.read(info) for info in infos}
    except InputError:
        raise
    except Exception as error:  # damaged archives make zipfile raise nearly anything
        raise InputError(f"{where}: its .keras file is damaged: {one_line(error)}.") from error


def _check_members(infos: list[zipfile.ZipInfo], where: str) -> None:
    for info in infos:
        if info.filename not in _MEMBERS or stat.S_ISLNK(info.external_attr >> 16):
            raise InputError(
                f"{where}: its .keras file holds {shown(info.filename)}; only {', '.join(_MEMBERS)} are read."
            )
        # zipfile never returns more bytes than a member declares.
        if info.file_size > _MEMBERS[info.filename]:
            raise InputError(f"{where}: {info.filename} unpacks to {info.file_size} bytes, more than is read.")
    names = [info.filename for info in infos]
    if len(set(names)) != len(names) or not {_CONFIG, _WEIGHTS} <= set(names):
        raise InputError(f"{where}: its .keras file must hold {_CONFIG} and {_WEIGHTS} once, not {shown(names)}.")


def _rebuild(architecture: dict[str, Any], where: str) -> "keras.Model":
    import keras

    try:
        # In this scope variables have shapes but no values, so even a layer of a billion units takes no memory.
        with keras.StatelessScope(initialize_variables=False):
            model = keras.saving.deserialize_keras_object(architecture, custom_objects={}, safe_mode=True)
            _check_sizes(model, where)
    except Exception as error:
        keras.utils.clear_session()  # drops the variables that have no values
        if isinstance(error, InputError):
            raise
        raise InputError(f"{where}: its layers do not fit together: {one_line(error)}") from error
    with keras.StatelessScope():
        pass  # when the scope ends, each waiting variable gets its value
    return model


def _check_sizes(model: "keras.Model", where: str) -> None:
    import keras

    bytes_ = _FLOAT_BYTES * sum(math.prod(variable.shape) for variable in model.variables)
    if bytes_ > MAX_NETWORK_BYTES:
        raise InputError(f"{where} needs {bytes_ >> 20} MiB of weights; at most {MAX_NETWORK_BYTES >> 20} are loaded.")
    between = 0
    for operation in model.operations:
        outputs = operation.output if isinstance(operation.output, list | tuple) else [operation.output]
        between += sum(_elements(output.shape) for output in outputs)
        if isinstance(operation, keras.layers.MultiHeadAttention):
            steps = _elements(outputs[0].shape[:-1])
            between += operation.num_heads * steps * steps
    if between > MAX_ELEMENTS:
        raise InputError(f"{where} computes {between} numbers for one image; at most {MAX_ELEMENTS} are accepted.")


def _elements(shape: tuple[int | None, ...]) -> int:
    """Number of elements for one image."""
    return math.prod(size or 1 for size in shape[1:])

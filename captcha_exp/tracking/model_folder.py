"""Reads the folder of a model: only the files that this project writes, without running any code from it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from captcha_exp.errors import InputError
from captcha_exp.reader.metadata import MAX_NETWORK_BYTES, check_metadata
from captcha_exp.reader.untrusted import check_plain, read_file, shown
from captcha_exp.tracking.mlflow_text import one_line

MLMODEL = "MLmodel"
NETWORK = Path("data") / "model.keras"
TRAINING_IMAGES, VALIDATION_IMAGES = "training_images.npy", "validation_images.npy"
PARTS = ("characters", "image", "decoding", "dataset", "config")
_MAX_DESCRIPTION_BYTES = 2**18
_KERAS = {"data": "data", "save_exported_model": False}
# MLflow's loaders of a model: as it was trained, or in its servable form. Only MLflow's server runs that form's code.
_TRAINED, _SERVED = "mlflow.keras", "mlflow.pyfunc.loaders.code_model"
# Other loaders of MLflow would open other files, and each of those loaders can run code.
_DATA = {NETWORK.name, "keras_module.txt"}
_CODE_SUFFIXES = {".pkl", ".pickle", ".cloudpickle", ".dill", ".joblib", ".pt", ".pth", ".pb", ".h5", ".so"}


@dataclass(frozen=True)
class Description:
    """The content of a file MLmodel: `flavors` by name, unchecked `metadata`, and the ids of the model and its run."""

    flavors: dict[str, Any]
    metadata: Any
    run_id: Any
    model_id: Any


def read_mlmodel(folder: Path, where: str) -> Description:
    """Read the file MLmodel of a folder. Its values are not checked; only its form is.

    Raises:
        InputError: the file is missing, or MLflow did not write it.
    """
    text = read_file(folder / MLMODEL, _MAX_DESCRIPTION_BYTES, where)
    try:
        content = yaml.safe_load(text)  # libyaml would be faster, but it crashes on deep nesting
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise InputError(f"{where} cannot be read: {one_line(error)}") from error
    if not isinstance(content, dict) or not isinstance(content.get("flavors"), dict):
        raise InputError(f"{where} cannot be read: its file {MLMODEL} names no flavors.")
    check_plain(where, "flavors", content["flavors"])
    named = (content.get(key) for key in ("metadata", "run_id", "model_id"))
    return Description(content["flavors"], *named)


def read_parts(folder: Path, where: str) -> dict[str, Any]:
    """Read the metadata of the network in a model's folder, and check that the network may be read.

    Raises:
        InputError: the metadata is wrong, or the folder holds something that could run code in another loader.
    """
    described = read_mlmodel(folder, where)
    parts = check_metadata(described.metadata or {}, where, PARTS)
    ids = check_metadata(vars(described), where, ("run_id", "model_id"))
    _check_flavors(described.flavors, where)
    _check_files(folder, where, code=_is_served(described.flavors))
    digests = {Path(name).stem: _digests(folder / name, where) for name in (TRAINING_IMAGES, VALIDATION_IMAGES)}
    return {**parts, **ids, **digests}


def _check_flavors(flavors: dict[str, Any], where: str) -> None:
    other = set(flavors) - {"keras", "python_function"}
    network, served = flavors.get("keras"), flavors.get("python_function")
    if other or not isinstance(network, dict) or not isinstance(served, dict):
        raise _refused(where, f"is of the flavors {shown(', '.join(map(str, flavors)))}, not keras")
    for key in sorted(set(network) - {"keras_version", "keras_backend"} | set(_KERAS), key=str):
        if key not in _KERAS or network.get(key) != _KERAS[key]:
            raise _refused(where, f"says keras.{shown(key)[1:-1]}: {shown(network.get(key))}")
    loader = served.get("loader_module")
    if loader not in (_TRAINED, _SERVED):
        raise _refused(where, f"says python_function.loader_module: {shown(loader)}")
    for key in ("python_model", "code") if loader == _TRAINED else ("python_model",):
        if served.get(key) is not None:
            raise _refused(where, f"says python_function.{key}: {shown(served[key])}")


def _is_served(flavors: dict[str, Any]) -> bool:
    return bool(flavors["python_function"]["loader_module"] == _SERVED)


def _check_files(folder: Path, where: str, *, code: bool) -> None:
    for path in sorted((folder / "data").iterdir() if (folder / "data").is_dir() else []):
        if path.name not in _DATA:
            raise _refused(where, f"holds data/{shown(path.name)}")
    module = folder / "data" / "keras_module.txt"
    if module.exists() and read_file(module, 100, where).strip() != b"keras":
        raise _refused(where, "names another module in data/keras_module.txt than keras")
    for path in sorted(folder.iterdir()):
        if path.suffix in _CODE_SUFFIXES or (path.name == "code" and not code):
            raise _refused(where, f"holds {shown(path.name)}")
    if not (folder / NETWORK).is_file():
        raise _refused(where, f"has no {NETWORK}")


def _refused(where: str, found: str) -> InputError:
    return InputError(
        f"{where} {found}; loading that could run code, so only {NETWORK} of a model that captcha_exp trained is read."
    )


def _digests(path: Path, where: str) -> np.ndarray | None:
    if not path.exists():
        return None
    try:
        # Map the file: if it is shorter than its header says, it takes no memory.
        found = np.load(path, mmap_mode="r", allow_pickle=False) if path.is_file() else None
    except Exception as error:
        raise InputError(f"{where}: {path.name} cannot be read: {one_line(error)}") from error
    if not isinstance(found, np.ndarray) or found.dtype != np.uint64 or found.ndim != 1:
        raise InputError(f"{where}: {path.name} must hold one row of uint64.")
    if found.nbytes > MAX_NETWORK_BYTES:
        raise InputError(f"{where}: {path.name} has more than {MAX_NETWORK_BYTES >> 20} MiB.")
    return np.array(found)

"""A trained model in MLflow, with everything that is needed to read images with it."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow
import numpy as np
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from captcha_exp.config.keras_backend import check_keras_backend
from captcha_exp.errors import InputError
from captcha_exp.reader.decoding import Decoder
from captcha_exp.reader.metadata import check_shapes
from captcha_exp.tracking.address import artifacts_of
from captcha_exp.tracking.artifact_addresses import check_not_moved
from captcha_exp.tracking.keras_file import CheckedNetwork, check_network
from captcha_exp.tracking.mlflow_text import one_line
from captcha_exp.tracking.model_folder import MLMODEL, NETWORK, PARTS, read_parts
from captcha_exp.tracking.new_model import MODEL_NAME, NewModel
from captcha_exp.tracking.server_away import if_told_patiently

if TYPE_CHECKING:
    import keras

_DESCRIBED = ("characters", "image", "decoding", "dataset", "run_id", "model_id")


@dataclass(frozen=True)
class LoadedRecogniser:
    """A loaded model: float32 (B, H, W, C) in [0, 1] -> class probabilities (B, T, K), class 0 the CTC blank.

    `characters[i]` is class `i + 1`. `image`, `decoding`, `dataset` (name and fingerprint of the training data) and
    `config` are plain values, as they were logged. `training_images` is uint64, one digest per training image, and
    `validation_images` one per image that chose its epoch. They are None if the model was logged without them.
    """

    model: "keras.Model"
    characters: str
    image: dict[str, Any]
    decoding: dict[str, Any]
    dataset: dict[str, str]
    config: dict[str, Any]
    run_id: str
    model_id: str
    training_images: np.ndarray | None
    validation_images: np.ndarray | None = None

    @property
    def described(self) -> dict[str, Any]:
        """What a program needs to read images with the network, and where the model comes from, as plain values."""
        return {part: getattr(self, part) for part in _DESCRIBED}

    @property
    def decoder(self) -> Decoder:
        """How it reads a text in its class probabilities."""
        return Decoder.of_metadata(vars(self))


def work_with(tracking_uri: str) -> None:
    """Make this the store of the whole process. MLflow looks up models only there, whatever store a client has."""
    mlflow.set_tracking_uri(tracking_uri)
    mlflow.set_registry_uri(tracking_uri)


def load_recogniser(model_uri: str, tracking_uri: str) -> LoadedRecogniser:
    """Load a logged model from the store, or from a folder without any store.

    Args:
        model_uri: `runs:/RUN/model`, `models:/NAME@ALIAS`, `models:/NAME/VERSION`, `m-...`, or the folder of a model.
        tracking_uri: the store that has the model.

    Raises:
        InputError: the store has no such model, captcha_exp did not make it, or Keras' backend is not installed.
    """
    check_keras_backend()
    with tempfile.TemporaryDirectory() as temporary:
        return check_model(model_folder(model_uri, tracking_uri, Path(temporary)), model_uri).rebuild()


@dataclass(frozen=True)
class CheckedModel:
    """A model that was checked: nothing in it can run code. `parts` is the metadata of its network."""

    network: CheckedNetwork
    parts: dict[str, Any]

    def rebuild(self) -> LoadedRecogniser:
        """Make the model.

        Raises:
            InputError: its network cannot be made, or does not fit its metadata.
        """
        model = self.network.rebuild()
        check_shapes(model.input_shape, model.output_shape, self.parts, self.network.where)
        return LoadedRecogniser(model, **self.parts)


def check_model(folder: Path, model_uri: str) -> CheckedModel:
    """Read only the network and its metadata from a folder, and run no code from there.

    Args:
        folder: where the model is.
        model_uri: the user's name for the model, for messages.

    Raises:
        InputError: captcha_exp did not make the model, or it holds something that could run code.
    """
    where = f"model={model_uri}"
    parts = read_parts(folder, where)
    return CheckedModel(check_network(folder / NETWORK, where), parts)


def model_folder(model_uri: str, tracking_uri: str, into: Path) -> Path:
    """The folder of a model. If `model_uri` is no folder, the model is copied from the store to a folder in `into`.

    Raises:
        InputError: the store has no such model.
        StoreAwayError: its server was away for too long, in the process of a trial.
    """
    if os.path.isfile(os.path.join(model_uri, MLMODEL)):
        return Path(model_uri)
    if model_uri.endswith(".onnx"):
        raise InputError(
            f"model={model_uri} is an ONNX file, which `predict` and `serve` read. Here the model itself is needed, "
            "such as model=runs:/RUN/model: the file does not say on which images it was trained."
        )
    work_with(tracking_uri)
    try:
        folder = if_told_patiently(lambda: _download(model_uri, tracking_uri, into), tracking_uri)
    except (MlflowException, OSError) as error:
        check_not_moved(tracking_uri, model_uri)
        raise InputError(f"model={model_uri} is not in the store {tracking_uri}: {one_line(error)}") from error
    if not (folder / MLMODEL).is_file():
        check_not_moved(tracking_uri, model_uri)
    return folder


def _download(model_uri: str, tracking_uri: str, into: Path) -> Path:
    address = artifacts_of(model_uri, MlflowClient(tracking_uri, tracking_uri))
    return Path(mlflow.artifacts.download_artifacts(artifact_uri=address, dst_path=str(into)))


def save_recogniser(recogniser: LoadedRecogniser, folder: Path) -> None:
    """Write a model as it was logged. This makes the folder."""
    metadata = {part: getattr(recogniser, part) for part in PARTS}
    shape, digests = recogniser.model.input_shape[1:], (recogniser.training_images, recogniser.validation_images)
    as_new = NewModel(recogniser.run_id, recogniser.model, metadata, shape, *digests)
    as_new.save(folder, recogniser.model_id, MODEL_NAME)

"""A trained model in MLflow, with everything that is needed to read images with it."""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow
import numpy as np
from mlflow import MlflowClient
from mlflow.entities import LoggedModelOutput, LoggedModelStatus
from mlflow.exceptions import MlflowException

from captcha_exp.errors import InputError
from captcha_exp.reader.decoding import Decoder
from captcha_exp.reader.metadata import check_shapes
from captcha_exp.tracking.address import artifacts_of
from captcha_exp.tracking.environment import installed_version
from captcha_exp.tracking.keras_file import CheckedNetwork, check_network
from captcha_exp.tracking.mlflow_text import one_line
from captcha_exp.tracking.model_folder import MLMODEL, NETWORK, PARTS, TRAINING_IMAGES, read_parts

if TYPE_CHECKING:
    import keras

MODEL_NAME = "model"
_REQUIRED = ("tensorflow", "keras", "numpy", "mlflow")


@dataclass(frozen=True)
class LoadedRecogniser:
    """A loaded model: float32 (B, H, W, C) in [0, 1] -> class probabilities (B, T, K), class 0 the CTC blank.

    `characters[i]` is class `i + 1`. `image`, `decoding`, `dataset` (name and fingerprint of the training data) and
    `config` are plain values, as they were logged. `training_images` is uint64, one digest per training image, or None
    if the model was logged without digests.
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

    @property
    def decoder(self) -> Decoder:
        """How it reads a text in its class probabilities."""
        return Decoder.of_metadata(vars(self))


def work_with(tracking_uri: str) -> None:
    """Make this the store of the whole process. MLflow looks up models only there, whatever store a client has."""
    mlflow.set_tracking_uri(tracking_uri)
    mlflow.set_registry_uri(tracking_uri)


def log_model(
    client: MlflowClient,
    run_id: str,
    model: "keras.Model",
    metadata: Mapping[str, Any],
    example_shape: tuple[int, ...],
    training_images: np.ndarray | None,
) -> str:
    """Write a model below a run and return its id.

    It makes the same calls as `mlflow.keras.log_model`, which allows only one store and one active run per process.
    """
    run = client.get_run(run_id)
    logged = client.create_logged_model(
        run.info.experiment_id,
        MODEL_NAME,
        source_run_id=run_id,
        params=run.data.params,
        tags=_plain_tags(run.data.tags),
    )
    try:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / MODEL_NAME
            _save(folder, model, metadata, example_shape, run_id, logged.model_id, logged.artifact_location)
            if training_images is not None:
                np.save(folder / TRAINING_IMAGES, training_images)
            client.log_model_artifacts(logged.model_id, str(folder))
    except BaseException:
        client.finalize_logged_model(logged.model_id, LoggedModelStatus.FAILED)
        raise
    client.finalize_logged_model(logged.model_id, LoggedModelStatus.READY)
    client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
    return str(logged.model_id)


def load_recogniser(model_uri: str, tracking_uri: str) -> LoadedRecogniser:
    """Load a logged model from the store, or from a folder without any store.

    Args:
        model_uri: `runs:/RUN/model`, `models:/NAME@ALIAS`, `models:/NAME/VERSION`, `m-...`, or the folder of a model.
        tracking_uri: the store that has the model.

    Raises:
        InputError: the store has no such model, or captcha_exp did not make it.
    """
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
    """
    if os.path.isfile(os.path.join(model_uri, MLMODEL)):
        return Path(model_uri)
    work_with(tracking_uri)
    try:
        address = artifacts_of(model_uri, MlflowClient(tracking_uri, tracking_uri))
        return Path(mlflow.artifacts.download_artifacts(artifact_uri=address, dst_path=str(into)))
    except (MlflowException, OSError) as error:
        raise InputError(f"model={model_uri} is not in the store {tracking_uri}: {one_line(error)}") from error


def save_recogniser(recogniser: LoadedRecogniser, folder: Path) -> None:
    """Write a model as it was logged. This makes the folder."""
    metadata = {part: getattr(recogniser, part) for part in PARTS}
    shape = recogniser.model.input_shape[1:]
    _save(folder, recogniser.model, metadata, shape, recogniser.run_id, recogniser.model_id, MODEL_NAME)
    if recogniser.training_images is not None:
        np.save(folder / TRAINING_IMAGES, recogniser.training_images)


def _save(
    folder: Path,
    model: "keras.Model",
    metadata: Mapping[str, Any],
    example_shape: tuple[int, ...],
    run_id: str,
    model_id: str,
    location: str,
) -> None:
    import mlflow.keras
    from mlflow.models import Model, ModelSignature
    from mlflow.types import Schema, TensorSpec

    time_steps, classes = model.output_shape[1:]
    float32 = np.dtype(np.float32)
    signature = ModelSignature(
        inputs=Schema([TensorSpec(float32, (-1, *example_shape))]),
        outputs=Schema([TensorSpec(float32, (-1, time_steps, classes))]),
    )
    mlflow.keras.save_model(
        model,
        str(folder),
        mlflow_model=Model(artifact_path=location, run_id=run_id, model_id=model_id, model_uuid=model_id),
        signature=signature,
        # Without this list MLflow would load the model in another process for 15 seconds to find the requirements.
        pip_requirements=[f"{package}=={installed_version(package)}" for package in _REQUIRED],
        metadata=dict(metadata),
    )


def _plain_tags(tags: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in tags.items() if not key.startswith("mlflow.")}

"""Writes a trained model into MLflow, now or once its server is back."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from mlflow import MlflowClient
from mlflow.entities import LoggedModel, LoggedModelOutput, LoggedModelStatus, Run

from captcha_exp.tracking.environment import installed_version
from captcha_exp.tracking.model_folder import TRAINING_IMAGES, VALIDATION_IMAGES

if TYPE_CHECKING:
    import keras

MODEL_NAME = "model"
# Stands for the id of a model until the server has given one.
LATER = "m-later"
_REQUIRED = ("tensorflow", "keras", "numpy", "mlflow")


@dataclass(frozen=True)
class NewModel:
    """A model that a run has trained.

    Attributes:
        run_id: the run.
        model: stock layers only, float32 `(B, *example_shape)` in, `(B, T, K)` out.
        metadata: plain values that describe the model's input and output.
        example_shape: shape of one input, without the batch.
        training_images: uint64, one digest per training image; None if they are not known.
        validation_images: uint64, one digest per image that chose the epoch; None if they are not known.
    """

    run_id: str
    model: "keras.Model"
    metadata: Mapping[str, Any]
    example_shape: tuple[int, ...]
    training_images: np.ndarray | None
    validation_images: np.ndarray | None

    def log(self, client: MlflowClient) -> str:
        """Write it below its run and return its id.

        It makes the same calls as `mlflow.keras.log_model`, which allows only one store and one active run per process.
        """
        logged = create(client, client.get_run(self.run_id))
        try:
            with tempfile.TemporaryDirectory() as temporary:
                folder = Path(temporary) / MODEL_NAME
                self.save(folder, logged.model_id, logged.artifact_location)
                client.log_model_artifacts(logged.model_id, str(folder))
        except BaseException:
            client.finalize_logged_model(logged.model_id, LoggedModelStatus.FAILED)
            raise
        client.finalize_logged_model(logged.model_id, LoggedModelStatus.READY)
        client.log_outputs(self.run_id, [LoggedModelOutput(logged.model_id, step=0)])
        return str(logged.model_id)

    def save_for_later(self, folder: Path) -> None:
        """Write what `log` would write into a folder in `folder`, before MLflow has given the model an id."""
        self.save(folder / MODEL_NAME, LATER, MODEL_NAME)

    def save(self, folder: Path, model_id: str, location: str) -> None:
        """Write its files. This makes the folder. `location` is the address where they will be."""
        import mlflow.keras
        from mlflow.models import Model, ModelSignature
        from mlflow.types import Schema, TensorSpec

        time_steps, classes = self.model.output_shape[1:]
        float32 = np.dtype(np.float32)
        signature = ModelSignature(
            inputs=Schema([TensorSpec(float32, (-1, *self.example_shape))]),
            outputs=Schema([TensorSpec(float32, (-1, time_steps, classes))]),
        )
        mlflow.keras.save_model(
            self.model,
            str(folder),
            mlflow_model=Model(artifact_path=location, run_id=self.run_id, model_id=model_id, model_uuid=model_id),
            signature=signature,
            # Without this list MLflow would load the model in another process for 15 seconds to find the requirements.
            pip_requirements=[f"{package}=={installed_version(package)}" for package in _REQUIRED],
            metadata=dict(self.metadata),
        )
        for name, digests in ((TRAINING_IMAGES, self.training_images), (VALIDATION_IMAGES, self.validation_images)):
            if digests is not None:
                np.save(folder / name, digests)


def create(client: MlflowClient, run: Run, tags: Mapping[str, str] | None = None) -> LoggedModel:
    """A model of `run` without files, with the run's own tags and `tags`."""
    own = {name: value for name, value in run.data.tags.items() if not name.startswith("mlflow.")}
    return client.create_logged_model(
        run.info.experiment_id,
        MODEL_NAME,
        source_run_id=run.info.run_id,
        params=run.data.params,
        tags={**own, **(tags or {})},
    )

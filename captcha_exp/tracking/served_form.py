"""A model in the form that MLflow serves."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import mlflow.pyfunc
import pandas as pd
from mlflow import MlflowClient
from mlflow.models import Model, ModelSignature
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema

from captcha_exp.tracking.environment import installed_version
from captcha_exp.tracking.logged_model import LoadedRecogniser, save_recogniser

_PACKAGE = Path(__file__).resolve().parents[1]
_CODE = _PACKAGE / "reader" / "served_model.py"
# The parts of this package that the served code imports.
_CARRIED = ("__init__.py", "errors.py", "reader")
# The packages that the served code needs on the serving machine. TensorFlow is not needed.
_REQUIRED = ("mlflow", "numpy", "onnx", "onnxruntime", "pandas", "pillow")
_SIGNATURE = ModelSignature(
    inputs=Schema([ColSpec(DataType.binary, "image")]),
    outputs=Schema(
        [ColSpec(DataType.string, "text"), ColSpec(DataType.double, "confidence"), ColSpec(DataType.string, "error")]
    ),
    # "" and -1 mean that nothing is known, because MLflow's parameters have no null.
    params=ParamSchema(
        [
            ParamSpec("pattern", DataType.string, ""),
            ParamSpec("alphabet", DataType.string, ""),
            ParamSpec("min_length", DataType.long, -1),
            ParamSpec("max_length", DataType.long, -1),
        ]
    ),
)


def save_servable(recogniser: LoadedRecogniser, onnx: Path, example: bytes, folder: Path) -> None:
    """Write a model folder with two flavours: the logged model and its servable form.

    The folder holds a copy of `captcha_exp.reader`, so the serving machine does not need this package.

    Args:
        recogniser: the trained model.
        onnx: its network, as `model.onnx_export` writes it.
        example: an image file.
        folder: the folder to make.
    """
    with tempfile.TemporaryDirectory() as temporary:
        code = _copy_reader(Path(temporary))
        trained = Path(temporary) / "trained"
        save_recogniser(recogniser, trained)
        mlflow.pyfunc.save_model(
            folder,
            python_model=str(_CODE),
            artifacts={"network": str(onnx)},
            code_paths=[str(code)],
            mlflow_model=Model.load(trained),
            signature=_SIGNATURE,
            input_example=pd.DataFrame({"image": [example]}),
            pip_requirements=[f"{package}=={installed_version(package)}" for package in _REQUIRED],
        )
        shutil.copytree(trained / "data", folder / "data")
        for file in trained.glob("*.npy"):
            shutil.copy(file, folder)


def _copy_reader(folder: Path) -> Path:
    """Copy the part of this package that reads images into a folder, and return the path of the copy."""
    code = folder / _PACKAGE.name
    code.mkdir()
    for name in _CARRIED:
        source = _PACKAGE / name
        if source.is_dir():
            shutil.copytree(source, code / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, code)
    return code


def read_as_served(folder: Path, images: Sequence[bytes]) -> list[str]:
    """The texts that a server with this model folder would read in image files."""
    served = mlflow.pyfunc.load_model(str(folder))
    return list(served.predict(pd.DataFrame({"image": list(images)}))["text"])


def upload_servable(client: MlflowClient, model_id: str, folder: Path) -> None:
    """Store the servable form with the logged model that it was made from. Who loads that model gets both forms.

    This replaces each file in one step, and the files that describe the others last. MLflow's own copy of a folder
    would truncate the existing files before it noticed that the disk is full.
    """
    address = client.get_logged_model(model_id).artifact_location
    kept = get_artifact_repository(address, tracking_uri=client.tracking_uri)
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    for path in sorted(files, key=lambda path: path == folder / "MLmodel"):
        inside = path.relative_to(folder).parent
        kept.log_artifact(str(path), None if inside == Path() else inside.as_posix())

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
# All that the code below imports of this package.
_CARRIED = ("__init__.py", "errors.py", "reader")
# What the code below needs on the machine that serves: no TensorFlow.
_REQUIRED = ("mlflow", "numpy", "onnx", "onnxruntime", "pandas", "pillow")
_SIGNATURE = ModelSignature(
    inputs=Schema([ColSpec(DataType.binary, "image")]),
    outputs=Schema(
        [ColSpec(DataType.string, "text"), ColSpec(DataType.double, "confidence"), ColSpec(DataType.string, "error")]
    ),
    # "" and -1 stand for nothing known: MLflow's parameters have no null.
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
    """Write a model folder with two flavours: what the logged model was, and what is served.

    `captcha_exp.reader`, which reads, travels with it, so this package need not be installed where it is served.

    Args:
        recogniser: the trained model.
        onnx: its network, as `model.onnx_export` writes it.
        example: an image file.
        folder: is made.
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
    """Put the part of this package that reads images into a folder; return its path there."""
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
    """The texts that a server started on a model folder would read in image files."""
    served = mlflow.pyfunc.load_model(str(folder))
    return list(served.predict(pd.DataFrame({"image": list(images)}))["text"])


def upload_servable(client: MlflowClient, model_id: str, folder: Path) -> None:
    """Keep the servable form with the logged model that it was made of; whoever loads that gets both.

    File by file, each replaced whole, and what describes them last: copying the folder, MLflow would cut the files of
    the model that is there before it finds the disk full.
    """
    address = client.get_logged_model(model_id).artifact_location
    kept = get_artifact_repository(address, tracking_uri=client.tracking_uri)
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    for path in sorted(files, key=lambda path: path == folder / "MLmodel"):
        inside = path.relative_to(folder).parent
        kept.log_artifact(str(path), None if inside == Path() else inside.as_posix())

"""The model that `mlflow models serve` runs. MLflow copies this file and executes it on its own."""

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel

from captcha_exp.reader.decoding import Constraint
from captcha_exp.reader.image_formats import BadImageError
from captcha_exp.reader.predictor import Predictor


class ServableModel(PythonModel):
    """Reads the image files in a column `image`."""

    def load_context(self, context: Any) -> None:
        """Open the network. It is an artifact of the model."""
        self._predictor = Predictor.of_onnx(Path(context.artifacts["network"]))

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """One row for each image: `text`, `confidence`, and `error` if it cannot be read."""
        given = {name: value for name, value in (params or {}).items() if value not in ("", -1)}
        readings = self._predictor.read([bytes(data) for data in model_input["image"]], Constraint(**given))
        return pd.DataFrame(
            [
                {"text": "", "confidence": 0.0, "error": str(reading)}
                if isinstance(reading, BadImageError)
                else {"text": reading.text, "confidence": reading.confidence, "error": ""}
                for reading in readings
            ],
            columns=["text", "confidence", "error"],
        )


set_model(ServableModel())

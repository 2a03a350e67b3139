"""Read images.npy with model.keras, both in a folder, by the backend that KERAS_BACKEND names."""

import json
import sys
from pathlib import Path

import keras
import numpy as np

from captcha_exp.errors import InputError
from captcha_exp.model.forward_pass import ForwardPass
from captcha_exp.model.onnx_export import export_onnx

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    images = np.load(folder / "images.npy")
    model = keras.models.load_model(folder / "model.keras")
    forward_pass = ForwardPass(model)
    lengths = [1, 3, len(images)]
    for count in lengths:
        np.save(folder / f"read-{count}.npy", forward_pass(images[:count]))
    told = {"name": forward_pass.name, "tensorflow": "tensorflow" in sys.modules, "lengths": lengths}
    try:
        export_onnx(model, {}, folder / "model.onnx")
    except InputError as error:
        told["refused"] = str(error)
    print(json.dumps(told))

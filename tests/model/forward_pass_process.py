"""Read images.npy with model.keras, both in a folder, by the backend that KERAS_BACKEND names."""

import json
import sys
from pathlib import Path

import keras
import numpy as np

from captcha_exp.model.forward_pass import ForwardPass

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    images = np.load(folder / "images.npy")
    forward_pass = ForwardPass(keras.models.load_model(folder / "model.keras"))
    lengths = [1, 3, len(images)]
    for count in lengths:
        np.save(folder / f"read-{count}.npy", forward_pass(images[:count]))
    told = {"name": forward_pass.name, "tensorflow": "tensorflow" in sys.modules, "lengths": lengths}
    print(json.dumps(told))

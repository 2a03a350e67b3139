"""Saves the state of a training on disk. An interrupted training continues from there."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from captcha_exp.errors import InputError
from captcha_exp.files import replacing

_FILE = "training.npz"


@dataclass
class Checkpoint:
    """The state of a training after an epoch.

    `weights` and `best_weights` are what `keras.Model.get_weights` returns. `optimizer` is what `Engine.state` returns.
    `history` has the metrics of each epoch. `engine` is the name of the engine. `duration` is what
    `Duration.state` returns.
    """

    weights: list[np.ndarray]
    best_weights: list[np.ndarray]
    optimizer: dict[str, np.ndarray]
    history: list[dict[str, float]]
    engine: str
    duration: dict[str, float] = field(default_factory=dict)


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint. If the process is killed or the disk is full, the previous checkpoint stays.

    Raises:
        InputError: the folder cannot be written.
    """
    arrays = {f"weights/{i}": weight for i, weight in enumerate(checkpoint.weights)}
    arrays |= {f"best/{i}": weight for i, weight in enumerate(checkpoint.best_weights)}
    arrays |= {f"optimizer/{name}": values for name, values in checkpoint.optimizer.items()}
    # JSON keeps every digit of a float.
    arrays["history"] = np.array(json.dumps(checkpoint.history))
    arrays["duration"] = np.array(json.dumps(checkpoint.duration))
    arrays["engine"] = np.array(checkpoint.engine)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(folder / _FILE) as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
    except OSError as error:
        raise InputError(
            f"The checkpoint in {folder} cannot be written ({error}); set `root` to another folder."
        ) from error


def load_checkpoint(folder: Path) -> Checkpoint | None:
    """Read the checkpoint of the folder. Return None if there is none."""
    path = folder / _FILE
    if not path.is_file():
        return None
    with np.load(path) as arrays:
        history = json.loads(arrays["history"].item())
        optimizer = {name.split("/")[1]: arrays[name] for name in arrays.files if name.startswith("optimizer/")}
        # Earlier versions had only this engine and did not save its name.
        engine = arrays["engine"].item() if "engine" in arrays else "tensorflow"
        duration = json.loads(arrays["duration"].item()) if "duration" in arrays else {}
        return Checkpoint(_listed(arrays, "weights"), _listed(arrays, "best"), optimizer, history, engine, duration)


def _listed(arrays: np.lib.npyio.NpzFile, prefix: str) -> list[np.ndarray]:
    count = sum(name.startswith(f"{prefix}/") for name in arrays.files)
    return [arrays[f"{prefix}/{i}"] for i in range(count)]

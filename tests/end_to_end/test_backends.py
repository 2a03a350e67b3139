"""A model that another library than TensorFlow trained."""

import csv
import json
import re
from pathlib import Path

import pytest
import requests
from PIL import Image

from captcha_exp.config import load_config
from captcha_exp.dataset import prepare_dataset
from captcha_exp.tracking import load_recogniser
from tests.end_to_end.conftest import Folder
from tests.engine_process import environment

pytestmark = pytest.mark.usefixtures("database_made_before")
# JAX compiles for longer than it computes: a short network and no augmentation.
DATA = [
    *("dataset.size=160", "dataset.image_height=16", "dataset.image_width=48", "dataset.characters=0123"),
    *("dataset.min_length=2", "dataset.max_length=3"),
]
NETWORK = ["cnn.filters=[8,16]", "cnn.width_stride=2", "transformer=none", "augmentation=none"]
TRAINING = ["training.epochs=20", "training.batch_size=16", "training.threads=1", "optimizer.learning_rate=0.01"]


def test_a_run_trained_on_jax_is_evaluated_promoted_and_served_like_any_other(folder: Folder) -> None:
    on_jax = Folder(folder.path, environment("jax", folder.path / "compiled"))
    done = on_jax.run(*DATA, *NETWORK, *TRAINING)
    assert (done.returncode, done.stderr) == (0, "")
    assert "xla_bridge" not in done.stdout, "a greeting of JAX"
    (run,) = folder.runs()
    assert run.data.tags["engine"] == "jax"
    packages = json.loads(Path(folder.client().download_artifacts(run.info.run_id, "environment.json")).read_text())
    assert packages["packages"]["jax"]
    read = _validation(folder, run.info.run_id)
    assert len({text for _, text in read}) > 1, "a model that reads the same in everything shows nothing"
    files = [str(path) for path, _ in read]
    trained = f"model=runs:/{run.info.run_id}/model"
    assert _texts(on_jax, trained, *files) == ([text for _, text in read], "JAX")

    evaluated = folder.run(trained, *DATA, "robustness=false", module="captcha_exp.evaluate")
    assert evaluated.returncode == 0, evaluated.stderr
    # So short a training reads too little for a first champion.
    promoted = folder.run(f"run={run.info.run_id}", "force=a test of JAX", module="captcha_exp.promote")
    assert promoted.returncode == 0, promoted.stderr
    assert promoted.stdout.splitlines()[-1] == "promoted by force: version 1 of captcha is champion"

    champion = "model=models:/captcha@champion"
    assert _texts(folder, champion, *files) == ([text for _, text in read], "ONNX Runtime")
    server = folder.start(champion, "port=0", module="captcha_exp.serve")
    assert server.stdout is not None
    lines = [server.stdout.readline(), server.stdout.readline()]
    address = re.search(r"page (http://\S+) ", lines[1])
    assert address is not None, lines
    answer = requests.post(f"{address[1]}/v1/read", data=read[0][0].read_bytes(), timeout=30).json()
    assert answer["text"] == read[0][1]


def _texts(folder: Folder, *arguments: str) -> tuple[list[str], str]:
    """What predict reads in files, and what computed it."""
    done = folder.run(*arguments, "format=jsonl", module="captcha_exp.predict")
    assert done.returncode == 0, done.stderr
    return [json.loads(line)["text"] for line in done.stdout.splitlines()], done.stderr.strip().split(" computed by ")[
        1
    ]


def _validation(folder: Folder, run_id: str) -> list[tuple[Path, str]]:
    """Validation images as files, and what the run read in them."""
    recogniser = load_recogniser(f"runs:/{run_id}/model", f"sqlite:///{folder.path}/mlruns/mlflow.db")
    images = prepare_dataset(load_config(recogniser.config).dataset, folder.path).validation.images
    rows = csv.DictReader(Path(folder.client().download_artifacts(run_id, "validation.csv")).read_text().splitlines())
    read = []
    for index, (image, row) in enumerate(zip(images, rows, strict=True)):
        path = folder.path / f"{index:02d}.png"
        Image.fromarray(image).save(path)
        read.append((path, row["prediction"]))
    return read

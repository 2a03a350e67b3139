"""What a run leaves, read by others."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from captcha_exp.config import Config
from captcha_exp.dataset import Split, prepare_dataset
from captcha_exp.experiment import Outcome
from captcha_exp.experiment.run_artifacts import origin_accuracies
from captcha_exp.model.evaluator import Evaluation
from tests.trained_run import store_of

Compose = Callable[..., Config]


def validation_table(config: Config, outcome: Outcome) -> list[dict[str, str]]:
    path = store_of(config).client.download_artifacts(outcome.run_id, "validation.csv")
    return list(csv.DictReader(Path(path).read_text().splitlines()))


def test_the_table_of_predictions_agrees_with_the_metric(trained: tuple[Config, Outcome, list[str]]) -> None:
    config, outcome, _ = trained
    rows = validation_table(config, outcome)
    assert list(rows[0]) == ["name", "origin", "label", "prediction", "confidence", "correct", "error"]
    right = [row["label"] == row["prediction"] for row in rows]
    assert [row["correct"] for row in rows] == [str(int(value)) for value in right]
    assert sum(right) / len(right) == outcome.metrics["best/val/sequence_accuracy"]
    assert all(0 <= float(row["confidence"]) <= 1 for row in rows)


def run_elsewhere(program: str, folder: Path, *arguments: str) -> dict[str, Any]:
    """What a fresh process, started in an empty folder, prints as JSON."""
    folder.mkdir()
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_fresh_process_without_conf_reads_with_exactly_the_logged_accuracy(
    trained: tuple[Config, Outcome, list[str]], tmp_path: Path
) -> None:
    config, outcome, _ = trained
    program = """
import json, sys
from pathlib import Path
from captcha_exp.config import load_config
from captcha_exp.dataset import prepare_dataset
from captcha_exp.tracking import load_recogniser
recogniser = load_recogniser(f"runs:/{sys.argv[1]}/model", sys.argv[2])
from captcha_exp.model.evaluator import evaluate
config = load_config(recogniser.config)  # the model brings its configuration along
split = prepare_dataset(config.dataset, Path(sys.argv[3])).validation
images, labels = split.images, split.labels
read = evaluate(recogniser.model, images, labels, recogniser.decoder, 32)
print(json.dumps({**read.metrics, "predictions": read.predictions}))
"""
    metrics = run_elsewhere(program, tmp_path / "empty", outcome.run_id, store_of(config).uri, str(config.root_path))
    for name in ("sequence_accuracy", "sequence_accuracy_ignore_case", "character_error_rate", "length_error_rate"):
        assert metrics[name] == outcome.metrics[f"best/val/{name}"]
    assert metrics["ctc_loss"] == pytest.approx(outcome.metrics["best/val/ctc_loss"], rel=1e-5)
    rows = validation_table(config, outcome)
    assert metrics["predictions"] == [row["prediction"] for row in rows]
    assert metrics["length_error_rate"] == 0, "all training labels have two characters, and the model tells that"


def test_keras_and_mlflow_alone_read_exactly_the_logged_texts(
    trained: tuple[Config, Outcome, list[str]], tmp_path: Path
) -> None:
    """The decoding and preprocessing here follow the model's own description, without this package."""
    import numpy as np

    config, outcome, _ = trained
    split = prepare_dataset(config.dataset, config.root_path).validation
    np.savez(tmp_path / "split.npz", images=split.images, labels=np.array(split.labels))
    program = """
import json, sys
sys.modules["captcha_exp"] = None  # whoever imports it now fails
import mlflow, numpy as np
mlflow.set_tracking_uri(sys.argv[2])
model = mlflow.keras.load_model(f"runs:/{sys.argv[1]}/model")
described = mlflow.models.get_model_info(f"runs:/{sys.argv[1]}/model")
assert described.signature.inputs.inputs[0].shape == (-1, 32, 48, 1), described.signature
split = np.load(sys.argv[3])
probabilities = model.predict((split["images"] / np.float32(255))[..., None], verbose=0)
(length,) = {len(described.metadata["decoding"]["knowledge"]["alphabets"])}
texts = []
for classes in probabilities.argmax(-1):
    new = np.append(True, classes[1:] != classes[:-1])
    text = "".join(described.metadata["characters"][i - 1] for i in classes[new] if i)
    texts.append(text if len(text) == length else None)  # a search would find another text
print(json.dumps(texts))
"""
    uri = store_of(config).uri
    found = run_elsewhere(program, tmp_path / "empty", outcome.run_id, uri, str(tmp_path / "split.npz"))
    logged = [row["prediction"] for row in validation_table(config, outcome)]
    assert found == [None if text is None else read for text, read in zip(found, logged, strict=True)]
    assert sum(text is not None for text in found) > 0.8 * len(found)


def test_each_origin_has_its_accuracy_where_there_are_several() -> None:
    def split_of(origins: list[str]) -> Split:
        return Split("validation", np.zeros((3, 4, 4), np.uint8), ["a", "b", "c"], ["1", "2", "3"], origins)

    evaluation = Evaluation({}, ["a", "b", "c"], ["a", "x", "c"], [1.0, 1.0, 1.0])
    assert origin_accuracies(split_of(["one", "two", "two"]), evaluation) == {
        "best/val/sequence_accuracy/one": 1.0,
        "best/val/sequence_accuracy/two": 0.5,
    }
    assert origin_accuracies(split_of(["one", "one", "one"]), evaluation) == {}

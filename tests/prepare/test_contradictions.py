"""Wrong labels are found by a model that was trained on them."""

import json
import random
from dataclasses import dataclass
from pathlib import Path

import mlflow
import pytest
from hydra import compose, initialize_config_dir
from PIL import Image, ImageDraw, ImageFont

from captcha_exp.config import Config, PreparationConfig, conf_dir, load_config
from captcha_exp.experiment import run_experiment
from captcha_exp.prepare.__main__ import prepare
from tests.prepare.conftest import encoded

# Positions whose label is false in every character.
WRONG = (5, 40, 77)
FALSE = str.maketrans("ABC", "BCA")
IMAGES = 200


@dataclass(frozen=True)
class Trained:
    """A model in its store, trained on images of which a few have false labels, by file name here."""

    root: Path
    overrides: list[str]
    run_id: str
    true_labels: dict[str, str]


def prepared(overrides: list[str], model: str | None = None) -> list[str]:
    """What the command says; in this process, which has TensorFlow already."""
    return list(prepare(PreparationConfig(audit=True, model=model), composed(overrides)))


def composed(overrides: list[str]) -> Config:
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return load_config(compose("config", overrides))


def plant(folder: Path) -> dict[str, str]:
    """Write images with their labels; true labels of the files that have a false one."""
    folder.mkdir()
    rng = random.Random(1)
    font = ImageFont.load_default(18)
    planted = {}
    for index in range(IMAGES):
        text = "".join(rng.choices("ABC", k=2 + index % 2))
        label = text.translate(FALSE) if index in WRONG else text
        image = Image.new("L", (60, 24), "white")
        ImageDraw.Draw(image).text((rng.randrange(1, 8), rng.randrange(4)), text, fill=0, font=font)
        image.putpixel((index % 60, index // 60), 0)  # none is equal to another
        name = f"{index:03d}_{label}.png"
        (folder / name).write_bytes(encoded(image))
        if index in WRONG:
            planted[name] = text
    return planted


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    root = tmp_path_factory.mktemp("trained")
    true_labels = plant(root / "images")
    overrides = [
        *(f"root={root}", "dataset=folder", f"dataset.path={root}/images", "dataset.label_pattern='.*_(?P<label>.+)'"),
        *("dataset.image_height=24", "dataset.image_width=60", "cnn.filters=[8,16,16]", "transformer=none"),
        *("augmentation=none", "training.epochs=15", "training.batch_size=16"),
    ]
    prepared(overrides)
    outcome = run_experiment(composed(overrides))
    return Trained(root, overrides, outcome.run_id, true_labels)


def test_a_training_run_keeps_the_audit_of_its_dataset(trained: Trained) -> None:
    client = mlflow.MlflowClient(f"sqlite:///{trained.root}/mlruns/mlflow.db")
    kept = {artifact.path for artifact in client.list_artifacts(trained.run_id, "dataset")}
    assert kept == {"dataset/audit.json", "dataset/index.html"}


def test_planted_wrong_labels_are_on_top(trained: Trained) -> None:
    said = prepared(trained.overrides, f"runs:/{trained.run_id}/model")
    (folder,) = trained.root.glob("audits/*")
    read = json.loads((folder / "audit.json").read_text())["contradictions"]
    assert read["judged"] == IMAGES
    assert {one["name"]: one["prediction"] for one in read["found"][: len(WRONG)]} == trained.true_labels
    confidences = [one["confidence"] for one in read["found"]]
    assert confidences == sorted(confidences, reverse=True) and confidences[0] > 0.5
    assert all(one["seen"] == (one["split"] == "train") for one in read["found"])
    sure = sum(confidence >= 0.5 for confidence in confidences)
    assert f"warning      labels that the model contradicts, more sure than not: {sure}" in said
    page = (folder / "index.html").read_text()
    assert "sure, trained on it" in page
    for name, text in trained.true_labels.items():
        assert name in page and f'<span class="label reading">{text}</span>' in page


def test_labels_that_the_model_cannot_read_are_left_out(trained: Trained, tmp_path: Path) -> None:
    others = tmp_path / "others"
    others.mkdir()
    for index, label in enumerate(["A", "B", "C", "AB", "BC", "CA", "AD", "DD", "A" * 9]):
        image = Image.new("L", (60, 24), index)
        (others / f"{index}_{label}.png").write_bytes(encoded(image))
    overrides = [*trained.overrides, f"dataset.path={others}", "dataset.validation_fraction=0.2"]
    prepared(overrides, f"runs:/{trained.run_id}/model")
    (table,) = trained.root.glob("audits/others-*/audit.json")
    read = json.loads(table.read_text())["contradictions"]
    assert read["judged"] == 6
    assert sorted(read["beyond"]) == ["6_AD.png", "7_DD.png", "8_AAAAAAAAA.png"]
    assert not any(one["seen"] for one in read["found"])

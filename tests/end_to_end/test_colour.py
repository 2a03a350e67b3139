"""Texts that only their colours tell, from the files to the server."""

import base64
import io
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir
from PIL import Image

from captcha_exp.config import Config, EvaluationConfig, PromotionConfig, SplitName, conf_dir, load, load_config
from captcha_exp.dataset import prepare_dataset
from captcha_exp.evaluate.assess_model import assess_model
from captcha_exp.experiment import run_experiment
from captcha_exp.predict.load_predictor import load_predictor
from captcha_exp.promote.__main__ import promote, with_whole_keys
from captcha_exp.reader.image import Channels, to_input
from captcha_exp.reader.onnx_runtime import OnnxRuntime
from captcha_exp.reader.predictor import ONNX_FILE, Reading
from captcha_exp.serve.model_holder import Held
from captcha_exp.serve.reading_html import draw_reading
from captcha_exp.tracking import Store, load_recogniser, open_store
from tests.serve.server.conftest import running
from tests.trained_run import artifacts_of

# Four colours of the grey level 90.
INKS = {"r": (255, 20, 20), "g": (30, 136, 10), "b": (71, 71, 239), "k": (90, 90, 90)}
DATASET = ("dataset=folder", "dataset.label_pattern='(?P<label>.+)_.'", "dataset.image_height=16",
           "dataset.image_width=64", "dataset.test_fraction=0.2", "dataset.channels=rgb")  # fmt: skip
MODEL = ("augmentation=light", "cnn.filters=[8,16,16]", "transformer=none", "optimizer.learning_rate=0.005",
         "training.epochs=12", "training.batch_size=16")  # fmt: skip


def drawn(text: str, seed: int) -> Image.Image:
    """A bar for each character, on paper with a little noise."""
    pixels = np.full((16, 64, 3), 230, np.uint8)
    random = np.random.default_rng([*map(ord, text), seed])
    for index, char in enumerate(text):
        left = 4 + 15 * index + int(random.integers(0, 5))
        pixels[3:13, left : left + 8] = INKS[char]
    return Image.fromarray((pixels + random.integers(-5, 6, pixels.shape)).clip(0, 255).astype(np.uint8))


TEXTS = ["rgbk", "kbgr", "rrbb"]


def files() -> list[bytes]:
    """Images that nobody was trained on."""
    found = []
    for text in TEXTS:
        buffer = io.BytesIO()
        drawn(text, 77).save(buffer, "PNG")
        found.append(buffer.getvalue())
    return found


@dataclass(frozen=True)
class Trained:
    """A model in colour, and what it was trained on."""

    config: Config
    store: Store
    run_id: str
    accuracy: float


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    root = tmp_path_factory.mktemp("colour")
    images = root / "images"
    images.mkdir()
    for text, seed in itertools.product(map("".join, itertools.product(INKS, repeat=4)), range(2)):
        if seed:
            drawn(text, seed).save(images / f"{text}_{seed}.jpg", quality=95, subsampling=0)
        else:
            drawn(text, seed).save(images / f"{text}_{seed}.png")
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        config = load_config(compose("config", [f"root={root}", f"dataset.path={images}", *DATASET, *MODEL]))
    outcome = run_experiment(config)
    store = open_store(config.tracking, root)
    accuracy = store.client.get_run(outcome.run_id).data.metrics["best/val/sequence_accuracy"]
    return Trained(config, store, outcome.run_id, accuracy)


@pytest.fixture(scope="module")
def champion(trained: Trained) -> str:
    """The address of the promoted model."""
    root = trained.config.root_path
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        overrides = [f"root={root}", "model_name=colour", *with_whole_keys([f"run={trained.run_id}"])]
        promote(load(PromotionConfig, compose("promote", overrides)))
    return "models:/colour@champion"


def test_it_learns_what_grey_does_not_show(trained: Trained) -> None:
    levels = [Image.new("RGB", (1, 1), ink).convert("L").getpixel((0, 0)) for ink in INKS.values()]
    assert set(levels) == {90}
    assert trained.accuracy > 0.9


def test_it_is_judged_on_corrupted_images_and_shown(trained: Trained) -> None:
    own = EvaluationConfig(model=f"runs:/{trained.run_id}/model", split=SplitName.test, robustness=True,
                           robustness_images=10, resamples=200, seed=0)  # fmt: skip
    # The model itself says what it sees: a dataset that is configured in grey is read in colour.
    grey = trained.config.dataset.model_copy(update={"channels": Channels.grey})
    list(assess_model(own, trained.config.model_copy(update={"dataset": grey})))
    logged = trained.store.client.get_run(trained.run_id).data.metrics
    assert logged["test/sequence_accuracy"] > 0.9
    assert 0 < logged["test/robustness/mean"] < 1
    assert {"test_sheet.png", "test_robustness.png"} <= set(artifacts_of(trained.store, trained.run_id))
    sheet = trained.store.client.download_artifacts(trained.run_id, "validation_sheet.png")
    pixels = np.asarray(Image.open(sheet).convert("RGB")).reshape(-1, 3).astype(int)
    assert (np.abs(pixels - INKS["b"]).max(axis=1) < 20).any(), "the sheet is in colour"


def test_the_promoted_network_computes_the_same_and_reads_files(trained: Trained, champion: str) -> None:
    recogniser = load_recogniser(champion, trained.store.uri)
    assert recogniser.image["channels"] == "rgb" and recogniser.model.input_shape == (None, 16, 64, 3)
    images = prepare_dataset(trained.config.dataset, trained.config.root_path).test.images[:]
    assert images.shape[1:] == (16, 64, 3)
    logged = trained.store.client.get_logged_model(recogniser.model_id)
    (onnx,) = Path(logged.artifact_location.removeprefix("file://")).rglob(ONNX_FILE.name)
    computed = OnnxRuntime(onnx, threads=1)(images)
    np.testing.assert_allclose(computed, recogniser.model(to_input(images)).numpy(), atol=1e-5)
    predictor = load_predictor(champion, trained.store.uri)
    assert predictor.runtime == "ONNX Runtime"
    assert [reading.text for reading in predictor.read(files()) if isinstance(reading, Reading)] == TEXTS


@pytest.fixture
def uploads(tmp_path: Path) -> Iterator[None]:
    (tmp_path / "uploads").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
        yield


def test_the_server_reads_an_upload(trained: Trained, champion: str, uploads: None) -> None:
    with running(trained.config.root_path, champion, "limits.requests_per_second=null") as served:
        answer = served.read(files()[0])
        assert answer.status_code == 200, answer.text
        assert answer.json()["text"] == TEXTS[0]


def test_the_page_shows_the_colours_that_the_model_sees(trained: Trained, champion: str) -> None:
    predictor = load_predictor(champion, trained.store.uri)
    (reading,) = predictor.read(files()[:1], with_probabilities=True)
    page = draw_reading(Held(predictor, champion), files()[0], reading)
    (data,) = re.findall(r"data:image/png;base64,([^\"]+)", page)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))), drawn(TEXTS[0], 77))

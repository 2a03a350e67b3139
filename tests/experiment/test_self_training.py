"""A network that learns from what it reads."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from captcha_exp.config import Config
from captcha_exp.dataset import prepare_dataset
from captcha_exp.errors import InputError
from captcha_exp.evaluate.seen_images import image_digests
from captcha_exp.experiment import run_experiment
from captcha_exp.tracking import load_recogniser
from tests.told import hearing
from tests.trained_run import SMALL, history_of, store_of

Compose = Callable[..., Config]
TINY = (*SMALL, "dataset.size=80", "dataset.characters=01", "dataset.min_length=6", "dataset.max_length=6",
        "dataset.image_width=96", "training.epochs=2", "training.batch_size=16", "tracking.sheet_images=0")  # fmt: skip


@pytest.fixture
def images(compose: Compose, tmp_path: Path) -> Path:
    """A folder of rendered images without labels."""
    config = compose(*TINY, "dataset.seed=1", "dataset.size=30")
    folder = tmp_path / "unlabelled"
    folder.mkdir()
    for number, image in enumerate(prepare_dataset(config.dataset, config.root_path).train.images):
        Image.fromarray(image).save(folder / f"{number:02d}.png")
    return folder


def test_each_round_learns_anew_from_what_the_network_is_sure_of(
    images: Path, compose: Compose, told: list[str]
) -> None:
    """What is learnt in two epochs is not sure of anything, so every text counts."""
    config = compose(*TINY, f"training.unlabelled={images}", "training.unlabelled_confidence=0")
    outcome = run_experiment(config)
    store = store_of(config)
    run = store.client.get_run(outcome.run_id)
    rounds = [line for line in told if line.startswith("round ")]
    count = len(list(images.iterdir()))
    assert rounds[0] == f"round 1 of 2: {count} of {count} unlabelled images are read with a confidence of at least 0"
    fell = [line for line in rounds if "reads fewer validation texts" in line]
    epochs = [step for step, _ in history_of(store, outcome.run_id, "train/ctc_loss")]
    assert epochs == list(range(1, 2 * (len(rounds) - len(fell) + 1) + 1))
    taught = run.data.metrics["unlabelled/learnt_from"]
    assert (run.data.metrics["unlabelled/images"], taught) == (count, count)
    table = store.client.download_artifacts(outcome.run_id, "pseudo_labels.csv")
    header, *rows = Path(table).read_text().splitlines()
    assert (header, len(rows)) == ("name,text,confidence", count)
    assert all(len(row.split(",")[1]) == 6 for row in rows), "all labels have six characters, so the texts have as well"
    learnt = load_recogniser(f"runs:/{outcome.run_id}/model", store.uri).training_images
    own = prepare_dataset(config.dataset, config.root_path)
    assert learnt is not None and len(learnt) == len(own.train) + count
    assert not np.isin(image_digests(own.validation.images), learnt).any()
    assert np.isin(image_digests(own.train.images), learnt).all()


def test_a_killed_run_goes_on_in_its_round(images: Path, compose: Compose, told: list[str]) -> None:
    def interrupt(line: str) -> None:
        if line.startswith("epoch 2/2") and sum(line.startswith("epoch ") for line in told) == 4:
            raise KeyboardInterrupt

    once = ("training.unlabelled_rounds=1", "training.unlabelled_confidence=0", "tracking.log_model=false")
    config = compose(*TINY, f"training.unlabelled={images}", *once)
    with pytest.raises(KeyboardInterrupt), hearing(interrupt):
        run_experiment(config)
    resumed, again = run_experiment(config), run_experiment(config)
    assert f"continuing the interrupted run {resumed.run_id}" in told
    assert resumed.run_id != again.run_id
    store = store_of(config)
    for metric in ("train/ctc_loss", "val/ctc_loss"):
        history = history_of(store, resumed.run_id, metric)
        assert [step for step, _ in history] == [1, 2, 3, 4]
        assert history == history_of(store, again.run_id, metric)


def test_a_network_that_is_sure_of_nothing_keeps_what_it_learnt(
    images: Path, compose: Compose, told: list[str]
) -> None:
    plain = compose(*TINY, "tracking.log_model=false")
    without = run_experiment(plain)
    sure = ("training.unlabelled_confidence=1", "training.epochs=2")
    outcome = run_experiment(compose(*TINY, "tracking.log_model=false", f"training.unlabelled={images}", *sure))
    assert any(line.endswith("so there is nothing more to learn from") for line in told)
    best = "best/val/ctc_loss"
    assert outcome.metrics[best] == without.metrics[best]
    assert "unlabelled/learnt_from" not in store_of(plain).client.get_run(outcome.run_id).data.metrics


def test_members_cannot_teach_themselves(compose: Compose) -> None:
    with pytest.raises(InputError, match=r"one network read for itself; set training\.members=1, not 3"):
        compose("training.unlabelled=images", "training.members=3")

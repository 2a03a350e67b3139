"""The training in the background."""

import csv
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from captcha_exp.dataset import prepare_dataset
from captcha_exp.label.guesses import Guesses, save_guesses, saved_guesses
from captcha_exp.label.label_table import LabelTable
from captcha_exp.label.labelled_dataset import with_table
from captcha_exp.label.labelling_session import LabellingSession
from captcha_exp.label.retraining import GUESSES_FILE, Retraining
from captcha_exp.label.retraining_process import Work, guesses_of
from tests.label.conftest import Configured

WAIT_S = 120
SMALL = (
    *(
        "training.epochs=1",
        "cnn.filters=[4,4]",
        "transformer=none",
        "dataset.image_height=16",
        "dataset.image_width=40",
    ),
)


def write_table(folder: Path, labels: int) -> Path:
    rows = [(f"{number}.png", f"{number:02d}", "test" if number % 5 == 4 else "train") for number in range(labels)]
    with (folder / "labels.csv").open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("file", "label", "split"), *rows])
    return folder / "labels.csv"


def wait_for(ended: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not ended():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def retraining(configured: Configured, folder: Path, tmp_path: Path) -> Iterator[Retraining]:
    config = with_table(configured(*SMALL), folder / "labels.csv", folder)
    retraining = Retraining(config, [], tmp_path / "labelling", None)
    yield retraining
    retraining.stop()


@pytest.mark.usefixtures("database_made_before")
def test_a_training_learns_from_the_table_without_its_test_images_and_reads_every_image(
    configured: Configured, folder: Path, tmp_path: Path
) -> None:
    config = with_table(configured(*SMALL), write_table(folder, 18), folder)
    files = [(f"{number}.png", str(folder / f"{number}.png")) for number in range(20)]
    told: list[object] = []
    found = guesses_of(
        Work(config, 18, [*files, ("gone.png", str(folder / "gone.png"))], tmp_path / "log"), told.append
    )
    assert found.labels == 18
    assert found.texts.keys() == {name for name, _ in files}
    assert all(0 <= confidence <= 1 for _, confidence in found.texts.values())
    assert found.told.startswith("model of 18 labels reads ")
    splits = prepare_dataset(config.dataset, tmp_path)
    assert splits.test.names == ["4.png", "9.png", "14.png"]


def test_labels_that_cannot_be_trained_on_are_a_line(retraining: Retraining, folder: Path) -> None:
    write_table(folder, 0)
    retraining.start(0)
    wait_for(lambda: not retraining.running)
    assert retraining.told.startswith("no new model: ")
    assert retraining.guesses is None


def test_a_training_that_is_ended_from_outside_is_told(retraining: Retraining, folder: Path) -> None:
    write_table(folder, 18)
    retraining.start(18)
    assert retraining._process is not None
    retraining._process.kill()
    wait_for(lambda: not retraining.running)
    assert retraining.told == "the training was ended from outside (exit code -9), maybe memory was short"


def test_a_training_begins_after_so_many_labels_and_labelling_goes_on_beside_it(
    begun: Callable[..., LabellingSession], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun_with: list[int] = []
    monkeypatch.setattr(Retraining, "start", lambda self, labels: begun_with.append(labels))
    session = begun("retrain_every=4")
    session.begin(shipped=False)
    for _ in range(10):
        session.label(session.state()["number"], "x")
    session.state()
    assert begun_with == [4, 8]
    later = begun("retrain_every=4", guesses=Guesses(8, {}, ""))
    later.begin(shipped=True)  # two labels are too few, and there is a model
    assert begun_with == [4, 8]


def test_what_a_model_reads_is_there_again_and_a_damaged_file_is_none(tmp_path: Path) -> None:
    guesses = Guesses(50, {"a.png": ("<b>", 0.5)}, "model of 50 labels")
    path = tmp_path / "new" / GUESSES_FILE
    save_guesses(guesses, path)
    assert saved_guesses(path) == guesses
    for damaged in (
        "",
        "{}",
        "[]",
        '{"labels": 1, "texts": [], "told": ""}',
        '{"labels": 1, "texts": {"a": 1}, "told": ""}',
    ):
        path.write_text(damaged)
        assert saved_guesses(path) is None
    assert saved_guesses(tmp_path / "nowhere") is None


def test_the_table_stays_when_a_training_is_ended(retraining: Retraining, folder: Path) -> None:
    rows = LabelTable(write_table(folder, 18)).rows
    retraining.start(18)
    retraining.stop()
    assert not retraining.running
    assert LabelTable(folder / "labels.csv").rows == rows

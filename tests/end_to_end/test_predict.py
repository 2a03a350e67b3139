"""Files read from the command line with a trained model."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.end_to_end.conftest import TINY, Folder
from tests.tracking_choice import tracked_in

UNREADABLE, REFUSED = 1, 2


@pytest.fixture(scope="module")
def place(give_database: Callable[[Path], None], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Folder]:
    """A folder with a trained model that knows the characters 0 to 3, and its validation images as files."""
    from captcha_exp.config import load_config
    from captcha_exp.dataset import prepare_dataset
    from captcha_exp.tracking import load_recogniser

    folder = Folder(tmp_path_factory.mktemp("predict"))
    give_database(folder.path)
    done = folder.run(*TINY, "training.epochs=8")
    assert done.returncode == 0, done.stderr
    (run,) = folder.runs()
    (model,) = folder.client().search_logged_models([run.info.experiment_id])
    folder.model, folder.uri = model.model_id, f"sqlite:///{folder.path}/mlruns/mlflow.db"
    recogniser = load_recogniser(folder.model, folder.uri)
    split = prepare_dataset(load_config(recogniser.config).dataset, folder.path).validation
    (folder.path / "images").mkdir()
    for index, image in enumerate(split.images):
        Image.fromarray(image).save(folder.path / "images" / f"{index:02d}.png")
    table = Path(folder.client().download_artifacts(run.info.run_id, "validation.csv"))
    rows = list(csv.DictReader(table.read_text().splitlines()))
    folder.expected = [(row["prediction"], float(row["confidence"])) for row in rows]
    yield folder


@pytest.fixture(scope="module")
def servable(place: Folder) -> Path:
    """The same model's servable form, kept with it in the store and as a folder."""
    from captcha_exp.promote.servable import add_servable
    from captcha_exp.tracking import load_recogniser, open_store
    from captcha_exp.tracking.logged_model import model_folder

    store = open_store(tracked_in("captcha_exp", place.uri), place.path)
    images = np.stack([np.array(Image.open(path)) for path in sorted((place.path / "images").iterdir())])
    add_servable(store, load_recogniser(place.model, place.uri), images)
    return model_folder(place.model, place.uri, place.path / "copy")


def predict(place: Folder, *arguments: str, names: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "captcha_exp.predict", *arguments],
        cwd=place.path,
        input=names,
        capture_output=True,
        text=True,
        timeout=200,
    )


def told_empty(place: Folder, count: int) -> list[str]:
    """What is said last about the first `count` images: the fixture's model learnt too little to read each of them."""
    empty = [text for text, _ in place.expected[:count]].count("")
    return [f"{empty} of {count} texts came out empty: the model reads nothing in these images"] if empty else []


def test_a_trained_model_reads_files_as_it_read_them_in_training(place: Folder) -> None:
    done = predict(place, f"model={place.model}", "images", "format=jsonl")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["file"] for line in lines] == [f"images/{n:02d}.png" for n in range(len(place.expected))]
    assert [line["text"] for line in lines] == [text for text, _ in place.expected]
    assert [line["confidence"] for line in lines] == pytest.approx([c for _, c in place.expected], abs=1e-4)
    told = told_empty(place, len(place.expected))
    assert done.stderr.splitlines() == [f"{place.model}, computed by TensorFlow", *told]
    assert not (place.path / "outputs" / "predict").exists() and not list(place.path.glob(".hydra"))


def test_a_servable_model_reads_the_same_without_tensorflow(place: Folder, servable: Path) -> None:
    for model in (str(servable), str(servable / "artifacts" / "model.onnx"), place.model):
        done = predict(place, f"model={model}", "images", "format=csv")
        assert done.returncode == 0, done.stderr
        rows = list(csv.DictReader(io.StringIO(done.stdout)))
        assert [row["text"] for row in rows] == [text for text, _ in place.expected]
        told = told_empty(place, len(place.expected))
        assert done.stderr.splitlines() == [f"{place.model}, computed by ONNX Runtime", *told]


def test_files_that_cannot_be_read_are_told_in_their_place(place: Folder, servable: Path) -> None:
    (place.path / "a=b.png").write_bytes((place.path / "images" / "00.png").read_bytes())
    (place.path / "two\nlines.png").write_bytes(b"no image")
    names = "images/01.png\ngone.png\n"
    done = predict(place, f"model={servable}", "a=b.png", "two\nlines.png", "-", "images/0[23].png", names=names)
    assert done.returncode == UNREADABLE
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert [line[0] for line in lines] == [
        *("a=b.png", "two\\nlines.png", "images/01.png", "gone.png", "images/02.png", "images/03.png")
    ]
    assert lines[1][1].startswith("error: not an image") and lines[3][1] == "error: No such file or directory"
    assert [lines[n][1] for n in (0, 2, 4, 5)] == [text for text, _ in place.expected[:4]]
    assert done.stderr.splitlines()[1:] == ["2 of 6 files could not be read", *told_empty(place, 4)]


def test_what_is_known_holds_in_every_line(place: Folder, servable: Path) -> None:
    (place.path / "words.txt").write_text("01\n23\n321\nten\n")
    shown = ["format=jsonl", "alternatives=2", "images"]
    done = predict(place, f"model={servable}", "pattern=[0-2]{2}3?", "max_length=2", *shown)
    assert done.returncode == 0, done.stderr
    for line in map(json.loads, done.stdout.splitlines()):
        assert len(line["text"]) == 2 and set(line["text"]) <= set("012") and len(line["alternatives"]) == 2
    done = predict(place, f"model={servable}", "lexicon=words.txt", *shown)
    for line in map(json.loads, done.stdout.splitlines()):
        texts = [line, *line["alternatives"]]
        assert {found["text"] for found in texts} == {"01", "23", "321"}
        assert sum(found["confidence"] for found in texts) == pytest.approx(1.0, abs=1e-5)
    assert "words.txt: 1 words have characters that the model does not know" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pattern=[0-9]{40}", "images"], "pattern=[0-9]{40} needs at least"),
        (["pattern=[a-z]+", "images"], "No text satisfies pattern=[a-z]+; the model's characters are 0123"),
        (["pattern=(a", "images"], "pattern=(a is no regular expression: missing ), unterminated subpattern"),
        (["lexicon=gone.txt", "images"], "lexicon=gone.txt cannot be read: No such file or directory."),
        (["patern=0", "images"], "patern=0 is neither a file nor a setting; did you mean pattern=...?"),
        (["alternatives=-1", "images"], "alternatives must be at least 0, not -1."),
        (["format=xml", "images"], "format must be one of text, csv, jsonl, not 'xml'."),
        ([], "No files to read; name files, folders or globs, or `-` for a list on standard input."),
    ],
)
def test_what_cannot_work_is_refused_before_the_first_line(
    place: Folder, servable: Path, arguments: list[str], message: str
) -> None:
    done = predict(place, f"model={servable}", *arguments)
    assert (done.returncode, done.stdout) == (REFUSED, "")
    assert done.stderr.startswith(f"error: {message}") and done.stderr.count("\n") == 1


def test_a_reader_that_leaves_early_is_no_error(place: Folder, servable: Path) -> None:
    command = f"{sys.executable} -m captcha_exp.predict model={servable} " + "images " * 400
    done = subprocess.run(
        ["bash", "-c", f"{command} | head -n 1"], cwd=place.path, capture_output=True, text=True, timeout=200
    )
    assert done.stdout.startswith("images/00.png\t")
    assert "Traceback" not in done.stderr and "error" not in done.stderr

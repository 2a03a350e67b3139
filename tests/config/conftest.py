"""Data that every source of datasets finds on this machine."""

import csv
from pathlib import Path

import pytest

from tests.dataset.conftest import png

SIZE = (48, 20)
NAMES = [f"a{(index * 263) % 1000:03d}" for index in range(24)]
OWN = '''
"""Functions of the user's own."""
from captcha_exp.dataset import Sample, Source
from tests.dataset.conftest import png
import keras


def open_numbers(config):
    labels = [f"e{n:03d}" for n in range(config.options.get("count", 12))]
    samples = [Sample(label, label, "own", label, "1") for label in labels]
    return Source("own", "own", samples, [], lambda label: png(int(label[1:])))


def open_others(config):
    return open_numbers(config.model_copy(update={"options": {"count": 9}}))


def double(images, random, augmentation):
    return images // augmentation.options.get("divisor", 2)


def sgd(optimizer):
    return keras.optimizers.SGD(0.1, momentum=optimizer.options.get("momentum", 0.0))


def rmsprop(optimizer):
    return keras.optimizers.RMSprop(0.1)


def wide(x, config):
    return keras.layers.Dense(config.options.get("units", 4))(x)


def narrow(x, config):
    return keras.layers.Dense(2)(x)


def flat(images, cnn):
    stride = cnn.width_stride
    x = keras.layers.Conv2D(cnn.filters[0], 3, strides=(4, stride), padding="same")(images)
    x = keras.layers.Activation(cnn.activation.value)(x)
    x = keras.layers.BatchNormalization(momentum=cnn.norm_momentum)(x)
    return keras.layers.Dropout(cnn.dropout)(x)


def plain(images, cnn):
    return keras.layers.MaxPooling2D((4, cnn.width_stride), padding="same")(images)


def right_lengths(labels, texts):
    return sum(len(a) == len(b) for a, b in zip(labels, texts)) / len(labels)
'''


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder `images` of labelled images, one `fewer`, tables of them, a Kaggle set, and a module `own_functions`."""
    place = tmp_path_factory.mktemp("places")
    kaggle = place / "kagglehub" / "datasets"
    for folder, names in (("images", NAMES), ("images/below", ["b777"]), ("fewer", NAMES[:12])):
        _write(place / folder, [f"{name}.png" for name in names])
    for handle, names in (("fournierp/captcha-version-2-images", NAMES), ("someone/else", NAMES[:12])):
        version = kaggle / handle / "versions" / "1"
        _write(version, [f"{name}.png" for name in names])
        (kaggle / handle / "1.complete").touch()
        _table(version / "labels.csv", {name: f"c{name}" for name in names})
    (place / "images" / "note.png").write_text("no image")
    for name, rows in (("labels", NAMES), ("fewer", NAMES[:12])):
        _table(place / f"{name}.csv", {f"images/{row}": f"d{row}" for row in rows})
    _divided(place / "divided.csv")
    (place / "legacy.csv").write_text(f"file,label\nimages/{NAMES[0]}.png,é\n", encoding="cp1252")
    (place / "characters.txt").write_text("\n".join("0123456789abz"))
    (place / "own_functions.py").write_text(OWN)
    return place


@pytest.fixture(autouse=True)
def in_places(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current folder is the one with the data, as for a user who stands there."""
    monkeypatch.chdir(places)
    monkeypatch.syspath_prepend(places)
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(places / "kagglehub"))


def _write(folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True)
    for seed, name in enumerate(names):
        (folder / name).write_bytes(png(seed, SIZE))


def _table(path: Path, labels: dict[str, str]) -> None:
    """File, another file of the same name elsewhere, label, another label."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["file", "other_file", "label", "text"])
        names = list(labels)
        rows.writerows([f"{name}.png", f"{names[0]}.png", label, label[::-1]] for name, label in labels.items())


def _divided(path: Path) -> None:
    """A table with a division of its own, in which one label is in two splits."""
    splits = ["train"] * (len(NAMES) - 8) + ["val"] * 4 + ["test"] * 4
    labels = [*NAMES[:-1], NAMES[0]]
    rows = [f"images/{name}.png,{label},x,{split}\n" for name, label, split in zip(NAMES, labels, splits, strict=True)]
    path.write_text("file,label,text,split\n" + "".join(rows))

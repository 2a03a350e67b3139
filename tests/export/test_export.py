"""A model as a file for other programs."""

import re
import runpy
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir

from captcha_exp.config import ExportConfig, ExportFormat, conf_dir, load
from captcha_exp.errors import InputError, MissingPathError
from captcha_exp.export.__main__ import export, with_addresses
from captcha_exp.export.checked_file import checked_file
from captcha_exp.predict.load_predictor import load_predictor
from captcha_exp.reader.predictor import Predictor, Reading
from captcha_exp.tracking import LoadedRecogniser

PAGE = Path(__file__).resolve().parents[2] / "docs" / "export.md"
CNNS = sorted(path.stem for path in (conf_dir() / "cnn").glob("*.yaml"))
TRANSFORMERS = sorted(path.stem for path in (conf_dir() / "transformer").glob("*.yaml"))


def loaded(*overrides: str) -> ExportConfig:
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return load(ExportConfig, compose("export", list(overrides)))


def texts(predictor: Predictor, files: list[bytes]) -> list[str]:
    return [reading.text for reading in predictor.read(files) if isinstance(reading, Reading)]


@pytest.mark.parametrize("form", ["onnx", "tflite"])
def test_a_model_on_disk_becomes_a_file_that_computes_the_same(
    form: str, servable: Path, files: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """The programs of the page read what `predict` reads."""
    monkeypatch.chdir(tmp_path)
    line = export(loaded(f"model={servable}", f"format={form}"))
    assert re.search(rf"/model\.{form}: m-1 as {form}, [\d,]+ bytes; .* differ .* by \d\.\de-\d\d at most", line)
    names = []
    for number, data in enumerate(files):
        (tmp_path / f"{number}.png").write_bytes(data)
        names.append(f"{number}.png")
    program = re.search(rf"^`read_{form}\.py`:\n\n```python\n(.*?)^```", PAGE.read_text(), re.M | re.S)
    assert program is not None
    (tmp_path / "read.py").write_text(program[1])
    monkeypatch.setattr(sys, "argv", ["read.py", *names])
    runpy.run_path(str(tmp_path / "read.py"))
    expected = texts(load_predictor(str(servable), ""), files)
    assert len(set(expected)) > 10
    assert capsys.readouterr().out.splitlines() == [
        f"{name} {text}" for name, text in zip(names, expected, strict=True)
    ]
    if form == "onnx":
        assert texts(load_predictor("model.onnx", ""), files) == expected


# Each once, because a conversion takes seconds.
@pytest.mark.parametrize(("cnn", "transformer"), list(zip_longest(CNNS, TRANSFORMERS, fillvalue="none")))
def test_every_choice_has_a_tflite_form_without_flex(
    cnn: str, transformer: str, make_recogniser: Callable[..., LoadedRecogniser], tmp_path: Path
) -> None:
    data, difference = checked_file(make_recogniser(f"cnn={cnn}", f"transformer={transformer}"), ExportFormat.tflite)
    assert difference <= 1e-5
    assert b"Flex" not in data


def test_a_network_that_a_format_does_not_know_is_refused(recogniser: LoadedRecogniser) -> None:
    import keras
    import tensorflow as tf

    output = keras.layers.Lambda(lambda x: tf.math.betainc(x, x, x))(recogniser.model.output)
    other = replace(recogniser, model=keras.Model(recogniser.model.input, output))
    with pytest.raises(InputError, match=r"^The network cannot be written as TFLite: ") as refused:
        checked_file(other, ExportFormat.tflite)
    assert "\n" not in str(refused.value)


def test_a_file_that_computes_something_else_is_not_written(
    servable: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(data: bytes, images: np.ndarray) -> np.ndarray:
        return np.full((len(images), 24, 8), np.nan, np.float32)

    monkeypatch.setattr("captcha_exp.export.checked_file.computed_by_tflite", wrong)
    output = tmp_path / "a.tflite"
    with pytest.raises(InputError, match="probabilities that differ by nan from the model's, more than 1e-05"):
        export(loaded(f"model={servable}", "format=tflite", f"output={output}"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["format=tflite", "output=a.onnx"], r"output=a\.onnx must end in \.tflite, as format=tflite"),
        (["output=none/a.onnx"], r"the folder .*none does not exist"),
        (["model=a.onnx"], r"model=a\.onnx is an ONNX file, which `predict` and `serve` read"),
    ],
)
def test_what_cannot_be_written_is_refused_in_a_line(
    overrides: list[str], message: str, servable: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises((InputError, MissingPathError), match=message):
        export(loaded(f"model={servable}", *overrides))


def test_a_run_stands_for_its_model() -> None:
    assert with_addresses(["run=ab12", "format=onnx"]) == ["model=runs:/ab12/model", "format=onnx"]


def test_the_description_is_in_the_file(recogniser: LoadedRecogniser, tmp_path: Path) -> None:
    import json

    data, _ = checked_file(recogniser, ExportFormat.tflite)
    (tmp_path / "a.tflite").write_bytes(data)
    assert json.loads(zipfile.ZipFile(tmp_path / "a.tflite").read("captcha_exp.json")) == recogniser.described

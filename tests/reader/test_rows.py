"""Images of several rows of text."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hydra import compose, initialize_config_dir

from captcha_exp.config import PredictConfig, conf_dir, load
from captcha_exp.model.onnx_export import export_onnx
from captcha_exp.reader.image import Channels, ImageSpec, decode_image, encode_png
from captcha_exp.reader.polarity import Polarity
from captcha_exp.tracking import LoadedRecogniser
from captcha_exp.tracking.logged_model import save_recogniser


def in_rows(image: np.ndarray, rows: int) -> bytes:
    """A picture of one line, cut and stacked."""
    return encode_png(np.concatenate(np.split(image, rows, axis=1)))


@pytest.mark.parametrize("rows", [2, 3, 4])
@pytest.mark.parametrize("form", [{}, {"polarity": Polarity.dark_text}, {"keep_aspect_ratio": True}])
def test_rows_are_read_as_their_line(rows: int, form: dict[str, object]) -> None:
    image = np.random.default_rng(rows).integers(0, 256, (18, 48, 3), np.uint8)
    for channels in Channels:
        spec = replace(ImageSpec(10, 40, False, 255, channels), **form)
        line = decode_image(encode_png(image), spec)
        np.testing.assert_array_equal(decode_image(in_rows(image, rows), replace(spec, rows=rows)), line)


def test_a_height_that_cannot_be_halved_shares_its_middle_line() -> None:
    image = np.repeat(np.arange(5, dtype=np.uint8)[:, None] * 50, 6, axis=1)
    laid = decode_image(encode_png(image), ImageSpec(3, 12, False, 255, rows=2))
    assert laid[:, 0].tolist() == [0, 50, 100]
    assert laid[:, 6].tolist() == [100, 150, 200]
    assert decode_image(encode_png(image[:1]), ImageSpec(1, 12, False, 255, rows=2)).tolist() == [[0] * 12]


def test_what_has_one_row_is_described_as_before() -> None:
    spec = ImageSpec(8, 16, False, 255)
    assert "rows" not in spec.to_dict()
    assert ImageSpec.from_dict(replace(spec, rows=2).to_dict()) == replace(spec, rows=2)


def test_a_model_reads_two_rows_as_their_line_from_mlflow_and_from_onnx(
    recogniser: LoadedRecogniser,
    images: np.ndarray,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from captcha_exp.predict.__main__ import predict

    monkeypatch.chdir(tmp_path)
    for number, image in enumerate(images):
        for name, data in (("line", encode_png(image)), ("rows", in_rows(image, 2))):
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / f"{number:02d}.png").write_bytes(data)
    read: list[list[str]] = []
    for name, model in {"line": recogniser, "rows": with_rows(recogniser)}.items():
        save_recogniser(model, tmp_path / f"model_{name}")
        export_onnx(model.model, model.described, tmp_path / f"{name}.onnx")
        for address in (f"model_{name}", f"{name}.onnx"):
            with initialize_config_dir(str(conf_dir()), version_base="1.3"):
                config = load(PredictConfig, compose("predict", [f"model={tmp_path / address}"]))
            assert predict(config, [str(tmp_path / name)]) == 0
            read.append([line.rpartition("/")[2].split("\t")[1] for line in capsys.readouterr().out.splitlines()])
    assert len(set(read[0])) > 10
    assert read == [read[0]] * 4
    assert not (tmp_path / "mlflow.db").exists(), "no store is asked about a folder"


def with_rows(recogniser: LoadedRecogniser) -> LoadedRecogniser:
    return replace(recogniser, image={**recogniser.image, "rows": 2})

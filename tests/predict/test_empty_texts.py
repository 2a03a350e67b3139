"""Texts that came out empty are counted, because a model that reads nothing fails without an error."""

from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from captcha_exp.config import PredictConfig, conf_dir, load
from captcha_exp.predict.__main__ import predict


@pytest.fixture
def names(files: list[bytes], tmp_path: Path) -> list[str]:
    """Three images as files."""
    for index, file in enumerate(files[:3]):
        (tmp_path / f"{index}.png").write_bytes(file)
    return sorted(map(str, tmp_path.iterdir()))


def said(servable: Path, names: list[str], capsys: pytest.CaptureFixture[str], *overrides: str) -> list[str]:
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        predict(load(PredictConfig, compose("predict", [f"model={servable}", *overrides])), names)
    return capsys.readouterr().err.splitlines()


def test_empty_texts_are_counted_in_the_last_line(
    servable: Path, names: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "none.png").write_bytes(b"no image")
    lines = said(servable, [*names, str(tmp_path / "none.png")], capsys, "max_length=0")
    assert lines[1:] == [
        "1 of 4 files could not be read",
        "3 of 3 texts came out empty: the model reads nothing in these images",
    ]


def test_without_an_empty_text_nothing_is_said(
    servable: Path, names: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(said(servable, names, capsys, "min_length=1")) == 1

"""What a user can get wrong ends before training with one line."""

from pathlib import Path

import pytest
from PIL import Image

from captcha_exp.command_line import EXIT_INPUT
from tests.loopback import free_port


def refused(folder, *arguments: str) -> str:
    """Run, expect a refusal in one line, return it."""
    done = folder.run(*arguments)
    assert done.returncode == EXIT_INPUT, done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    return errors[0]


def images(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for level, name in enumerate(names):
        Image.new("L", (64, 32), 40 + level).save(folder / name)
    return folder


FOLDER = ("dataset=folder", "dataset.image_height=32", "dataset.image_width=64")


def test_no_such_path(folder) -> None:
    assert "nowhere" in refused(folder, *FOLDER, "dataset.path=nowhere")


def test_an_empty_folder(folder) -> None:
    (folder.path / "empty").mkdir()
    assert "empty" in refused(folder, *FOLDER, "dataset.path=empty")


def test_files_that_are_no_images(folder) -> None:
    path = images(folder.path / "images", *(f"ab{i}.png" for i in range(10)))
    (path / "cut.png").write_bytes((path / "ab0.png").read_bytes()[:40])
    (path / "text.png").write_text("no image")
    message = refused(folder, *FOLDER, f"dataset.path={path}")
    assert "dataset.max_bad_share" in message
    assert "cut.png" in message and "text.png" in message


def test_a_label_outside_the_vocabulary(folder) -> None:
    path = images(folder.path / "images", "ab.png", "a€.png", "ba.png", "bb.png")
    message = refused(folder, *FOLDER, f"dataset.path={path}", "dataset.vocabulary=ab")
    assert "€" in message and "dataset.vocabulary" in message


def test_labels_too_long_for_the_model(folder) -> None:
    endings = [a + b for a in "abcdefgh" for b in "abcdefgh"]
    path = images(folder.path / "images", *(f"{'abcdefgh' * 3}{ending}.png" for ending in endings))
    message = refused(folder, *FOLDER, f"dataset.path={path}")
    assert "time steps" in message and "cnn.width_stride" in message


def test_a_table_without_the_column(folder) -> None:
    (folder.path / "labels.csv").write_text("when,where\nmonday,ab\n")
    message = refused(folder, "dataset=manifest", "dataset.path=labels.csv")
    assert "file" in message and "when" in message


@pytest.mark.parametrize("sweep", [[], ["+sweep=smoke"]], ids=["one run", "a sweep"])
def test_a_tracking_server_that_does_not_answer(folder, sweep: list[str]) -> None:
    uri = f"http://127.0.0.1:{free_port()}"
    message = refused(folder, *folder.tiny, *sweep, f"tracking.uri={uri}")
    assert uri in message and "tracking.uri" in message


def test_a_root_that_cannot_be_written(folder) -> None:
    (folder.path / "file").write_text("no folder")
    assert "file/inside" in refused(folder, *folder.tiny, "root=file/inside")


def test_a_space_that_is_no_space(folder) -> None:
    message = refused(folder, *folder.tiny, "+sweep=smoke", "sweep.space={transformer.dropout:'interval(3'}")
    assert "transformer.dropout" in message

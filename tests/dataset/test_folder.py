"""Labels from the names of image files."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from captcha_exp.config import Config
from captcha_exp.dataset import PreparedDataset, prepare_dataset
from captcha_exp.dataset.folder import open_folder
from captcha_exp.errors import InputError, MissingPathError

Compose = Callable[..., Config]
MakeFolder = Callable[..., Path]


def listed(compose: Compose, folder: Path, *overrides: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    source = open_folder(
        compose("dataset=folder", f"dataset.path={folder}", *overrides).dataset, folder.parent / "cache"
    )  # type: ignore[arg-type]
    return [(s.name, s.label) for s in source.samples], [(s.name, s.reason) for s in source.skipped]


def prepared(compose: Compose, folder: Path, *overrides: str) -> PreparedDataset:
    config = compose("dataset=folder", f"dataset.path={folder}", *overrides)
    return prepare_dataset(config.dataset, config.root_path)


def test_samples_come_in_natural_order_with_their_stems_as_labels(compose: Compose, make_folder: MakeFolder) -> None:
    folder = make_folder(["a10", "a2", "B1", "a1"])
    (folder / "c3.JPeG").write_bytes(b"")
    (folder / ".hidden.png").write_bytes(b"")
    (folder / "notes.txt").write_text("no image")
    samples, skipped = listed(compose, folder)
    assert [label for _, label in samples] == ["B1", "a1", "a2", "a10", "c3"]
    assert samples[-1] == ("c3.JPeG", "c3")
    assert skipped == []


def test_a_pattern_takes_the_label_out_of_a_longer_name(compose: Compose, make_folder: MakeFolder) -> None:
    folder = make_folder(["0001_abc", "0002_d_e", "nolabel"], suffix=".jpeg")
    samples, skipped = listed(compose, folder, r"dataset.label_pattern='[0-9]+_(?P<label>.+)'")
    assert [label for _, label in samples] == ["abc", "d_e"]
    assert skipped == [("nolabel.jpeg", "its name does not match dataset.label_pattern")]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(?P<label>", "dataset.label_pattern='\\(\\?P<label>' is not a regular expression: missing \\)"),
        ("(.+)", "dataset.label_pattern='\\(\\.\\+\\)' has no group named label; write .*\\(\\?P<label>\\.\\.\\.\\)"),
    ],
)
def test_a_pattern_that_gives_no_label_is_refused(
    compose: Compose, make_folder: MakeFolder, pattern: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        listed(compose, make_folder(["a"]), f"dataset.label_pattern='{pattern}'")


def test_subfolders_are_read_only_when_asked_for(compose: Compose, make_folder: MakeFolder) -> None:
    make_folder(["abc"], "images/train")
    make_folder(["def"], "images/.thumbnails")
    folder = make_folder([])
    with pytest.raises(InputError, match=r"has no image files .* its subfolders have; set `dataset.recursive=true`"):
        listed(compose, folder)
    assert listed(compose, folder, "dataset.recursive=true")[0] == [("train/abc.png", "abc")]


def test_an_empty_folder_is_refused(compose: Compose, make_folder: MakeFolder) -> None:
    with pytest.raises(InputError, match=r"dataset.path=.*images has no image files \(\.png, \.jpg, \.\.\.\)\.$"):
        prepared(compose, make_folder([]))


def test_a_path_that_does_not_exist_or_is_a_file_is_refused(compose: Compose, tmp_path: Path) -> None:
    with pytest.raises(MissingPathError, match=r"^dataset.path=.*/nowhere does not exist\.$"):
        prepared(compose, tmp_path / "nowhere")
    (tmp_path / "file.csv").write_text("")
    with pytest.raises(InputError, match="is not a folder; for a table of files use `dataset=manifest`"):
        prepared(compose, tmp_path / "file.csv")


def test_what_only_looks_like_an_image_is_named_and_skipped(
    compose: Compose, make_folder: MakeFolder, labels: list[str]
) -> None:
    folder = make_folder(labels)
    (folder / "x.png").mkdir()
    (folder / "0byte.png").touch()
    (folder / "text.png").write_text("this is no image")
    whole = (folder / f"{labels[0]}.png").read_bytes()
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    os.mkfifo(folder / "pipe.png")
    (folder / "gone.png").symlink_to(folder / "nowhere.png")
    (folder / "new\nline.png").write_bytes(whole)
    (folder / os.fsdecode(b"bad\xff.png")).write_bytes(whole)
    skipped = {file.name: file.reason for file in prepared(compose, folder, "dataset.max_bad_share=0.2").skipped}
    assert skipped.pop("cut.png").startswith("not readable as an image")
    assert skipped.pop("text.png").startswith("not an image, of no size, or not one of PNG")
    assert skipped.pop("bad\\udcff.png") == r"its label 'bad\udcff' has characters that cannot be printed"
    assert skipped.pop("new\\nline.png") == "its name does not match dataset.label_pattern"
    assert skipped == {
        "x.png": "a directory",
        "0byte.png": "the file is empty",
        "pipe.png": "not a regular file",
        "gone.png": "no such file",
    }


def test_too_many_unusable_files_are_refused_with_their_number_and_names(
    compose: Compose, make_folder: MakeFolder, labels: list[str]
) -> None:
    folder = make_folder(labels)
    for index in range(5):
        (folder / f"z{index}.png").touch()
    message = (
        r"^5 of 45 files cannot be used \(11\.1%\): z0\.png \(the file is empty\), z1\.png .*, z2\.png [^,]*, \.\.\.\. "
        r"Repair or remove them, or raise `dataset\.max_bad_share=0\.1`\.$"
    )
    with pytest.raises(InputError, match=message):
        prepared(compose, folder, "dataset.max_bad_share=0.1")
    assert len(prepared(compose, folder, "dataset.max_bad_share=0.12").skipped) == 5


def test_nothing_but_unusable_files_is_refused_at_any_share(compose: Compose, make_folder: MakeFolder) -> None:
    folder = make_folder([])
    (folder / "a.png").touch()
    with pytest.raises(InputError, match=r"1 of 1 files cannot be used .* Nothing is left to train on"):
        prepared(compose, folder, "dataset.max_bad_share=1")
    (folder / "a.png").unlink()
    (folder / "a.png").mkdir()
    with pytest.raises(InputError, match=r"a\.png \(a directory\)\. Nothing is left to train on"):
        prepared(compose, folder, "dataset.max_bad_share=1")


def test_the_starting_datasets_labels_are_read(compose: Compose, data_dir: Path) -> None:
    dataset = prepared(compose, data_dir / "captcha_images_v2")
    assert [len(split) for split in dataset.splits] == [832, 104, 104]
    assert dataset.vocabulary.characters == "2345678bcdefgmnpwxy"
    assert dataset.train.images.shape == (832, 50, 200)

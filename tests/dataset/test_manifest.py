"""Labels from a table."""

from collections.abc import Callable
from pathlib import Path

import pytest

from captcha_exp.config import Config
from captcha_exp.dataset import PreparedDataset, prepare_dataset
from captcha_exp.dataset.manifest import open_manifest
from captcha_exp.dataset.samples import Source
from captcha_exp.errors import InputError, MissingPathError

Compose = Callable[..., Config]
MakeFolder = Callable[..., Path]


def opened(compose: Compose, table: Path, *overrides: str) -> Source:
    return open_manifest(
        compose("dataset=manifest", f"dataset.path={table}", *overrides).dataset, table.parent / "cache"
    )  # type: ignore[arg-type]


def prepared(compose: Compose, table: Path, *overrides: str) -> PreparedDataset:
    config = compose("dataset=manifest", f"dataset.path={table}", *overrides)
    return prepare_dataset(config.dataset, config.root_path)


def test_a_table_with_byte_order_mark_and_other_columns_is_read(compose: Compose, make_folder: MakeFolder) -> None:
    folder = make_folder(["one", "two"])
    table = folder / "labels.csv"
    table.write_text('file,id,label\none.png,1,"a,b"\n\ntwo.png,2,0012\n', encoding="utf-8-sig")
    source = opened(compose, table)
    assert [(sample.name, sample.label) for sample in source.samples] == [("one.png", "a,b"), ("two.png", "0012")]
    assert source.skipped == []


def test_columns_separator_and_image_folder_are_the_users_choice(compose: Compose, make_folder: MakeFolder) -> None:
    folder = make_folder(["one"])
    table = folder.parent / "tables" / "all.TSV"
    table.parent.mkdir()
    table.write_text("text\tpicture\nhe'\"llo\tone.png\n".replace('"', ""))
    overrides = ("dataset.file_column=picture", "dataset.label_column=text", f"dataset.image_root={folder}")
    assert [sample.label for sample in opened(compose, table, *overrides).samples] == ["he'llo"]


def test_rows_that_cannot_be_used_are_named(compose: Compose, make_folder: MakeFolder) -> None:
    folder = make_folder(["one"])
    table = folder / "labels.csv"
    table.write_text("file,label\none.png,x\nnowhere.png,y\none.png,\none.png\n,z\n\0,z\n")
    assert [(file.name, file.reason) for file in opened(compose, table).skipped] == [
        ("nowhere.png", "no such file"),
        ("one.png", "its label is empty"),
        ("one.png", "its label is empty"),
        ("line 6", "it names no file"),
        (r"\x00", "its name has a NUL"),
    ]


def test_files_missing_from_disk_count_as_unusable(compose: Compose, make_folder: MakeFolder) -> None:
    folder = make_folder(["one"])
    table = folder / "labels.csv"
    table.write_text("file,label\none.png,x\nnowhere.png,y\n")
    with pytest.raises(InputError, match=r"1 of 2 files cannot be used \(50\.0%\): nowhere\.png \(no such file\)\."):
        prepared(compose, table)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("title,author\n", "has no column 'file'; its columns are 'title', 'author'. Set `dataset.file_column=...`"),
        ("file,a,b\n", "has no column 'label'; its columns are 'file', 'a', 'b'. Set `dataset.label_column=...`"),
        ("file,label,file\n", "has the column 'file' 2 times"),
        ("", "has no column 'file'; its columns are none: it is empty"),
        ("file,label\n", "has no rows below its header"),
        (",".join(f"c{i}" for i in range(99)), "'c10', 'c11', .... Set"),
        ('file,label\n"a.png,x\n', "cannot be read as a table after line 1: unexpected end of data"),
        ("file,label\n" + "a" * 200_000, "cannot be read as a table after line 1: field larger than field limit"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_with_what_it_has(
    compose: Compose, tmp_path: Path, content: str, message: str
) -> None:
    table = tmp_path / "labels.csv"
    table.write_text(content)
    with pytest.raises(InputError) as caught:
        opened(compose, table)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 400 + len(str(tmp_path))


def test_a_table_of_another_kind_or_encoding_is_refused(compose: Compose, tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").touch()
    with pytest.raises(InputError, match=r"a\.xlsx must be a table of text .*, not '\.xlsx'; save it as CSV UTF-8"):
        opened(compose, tmp_path / "a.xlsx")
    (tmp_path / "a.csv").write_text("file,label\na.png,é\n", encoding="latin-1")
    with pytest.raises(InputError, match=r"a\.csv is not in UTF-8 .*, or save it as CSV UTF-8"):
        opened(compose, tmp_path / "a.csv")


def test_paths_that_do_not_exist_are_refused(compose: Compose, tmp_path: Path) -> None:
    with pytest.raises(MissingPathError, match=r"dataset\.path=.*nowhere\.csv does not exist"):
        opened(compose, tmp_path / "nowhere.csv")
    with pytest.raises(InputError, match="is not a file; for a folder of images use `dataset=folder`"):
        opened(compose, tmp_path)
    (tmp_path / "a.csv").write_text("file,label\n")
    with pytest.raises(MissingPathError, match=r"dataset\.image_root=/nowhere is not an existing folder"):
        opened(compose, tmp_path / "a.csv", "dataset.image_root=/nowhere")


def test_the_same_images_are_the_same_dataset_from_a_folder_and_from_a_table(
    compose: Compose, make_folder: MakeFolder, labels: list[str]
) -> None:
    folder = make_folder(labels)
    (folder / "labels.csv").write_text("file,label\n" + "".join(f"{label}.png,{label}\n" for label in labels))
    config = compose("dataset=folder", f"dataset.path={folder}")
    from_folder = prepare_dataset(config.dataset, config.root_path)
    from_table = prepared(compose, folder / "labels.csv")
    assert from_table.fingerprint == from_folder.fingerprint
    for name in ("train", "validation", "test"):
        assert set(from_table.split(name).labels) == set(from_folder.split(name).labels)


def test_a_real_table_is_read(compose: Compose, data_dir: Path) -> None:
    dataset = prepared(compose, data_dir / "really_simple4" / "labels.csv", "dataset.limit=300")
    assert sum(map(len, dataset.splits)) == 300
    assert set(map(len, dataset.train.labels)) == {4}

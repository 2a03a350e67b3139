"""Tables as other programs and people write them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from captcha_exp.dataset.samples import Source
from captcha_exp.errors import InputError
from tests.dataset.opened_table import ROWS, Compose, opened

MakeFolder = Callable[..., Path]


@pytest.fixture
def folder(make_folder: MakeFolder) -> Path:
    return make_folder(list(ROWS))


def lines(pattern: str, end: str = "\n") -> str:
    return "".join(pattern.format(name=name, label=label) + end for name, label in ROWS.items())


def check(source: Source) -> None:
    assert [(sample.name.removesuffix(".png")[-4:], sample.label) for sample in source.samples] == list(ROWS.items())
    assert source.skipped == []


FORMS = {
    "paddle.txt": (lines("{name}.png\t{label}"), "utf-8", "no header"),
    "paddle.tsv": (lines("{name}.png\t{label}"), "utf-8", "no header"),
    "list.lst": (lines("{name}.png {label}"), "utf-8", "the first blank of a line"),
    "european.csv": ("file;label\r\n" + lines("{name}.png;{label}", "\r\n"), "utf-8-sig", "semicolons"),
    "sep.csv": ("sep=;\r\nfile;label\r\n" + lines("{name}.png;{label}", "\r\n"), "utf-8", "semicolons"),
    "bars.txt": ("file|label\n" + lines("{name}.png|{label}"), "utf-8", "bars"),
    "sixteen.csv": ("file,label\n" + lines("{name}.png,{label}"), "utf-16", "utf-16"),
    "sixteen_le.csv": ("file\tlabel\n" + lines("{name}.png\t{label}"), "utf-16-le", "utf-16-le"),
    "no_header.csv": (lines("{name}.png,{label}"), "utf-8", "no header"),
    "easyocr.csv": ("filename,words\n" + lines("{name}.png,{label}"), "utf-8", "labels in column 'words'"),
    "capitals.csv": ("File,Label\n" + lines("{name}.png,{label}"), "utf-8", "files are in column 'File'"),
    "index.csv": (",path,text\n" + lines("7,{name}.png,{label}"), "utf-8", "files are in column 'path'"),
    "ids.csv": ("id,solution\n" + lines("{name},{label}"), "utf-8", "files are in column 'id'"),
    "reversed.csv": ("text,image\n" + lines("{label},{name}.png"), "utf-8", "files are in column 'image'"),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_form_is_found_out_and_told_in_a_line(compose: Compose, folder: Path, name: str) -> None:
    text, encoding, told = FORMS[name]
    (folder / name).write_bytes(text.encode(encoding))
    source = opened(compose, folder / name)
    check(source)
    assert len(source.notes) == 1 and told in source.notes[0]


def test_an_ordinary_table_needs_no_line(compose: Compose, folder: Path) -> None:
    (folder / "labels.csv").write_text("file,label\n" + lines("{name}.png,{label}"))
    assert opened(compose, folder / "labels.csv").notes == []


def test_a_label_is_never_cut_at_a_comma(compose: Compose, folder: Path) -> None:
    """`6,604` became `6`, with nothing said."""
    table = folder / "labels.csv"
    table.write_text('filename,words\n0000.png,6,604\n0001.png,"1,2"\n0002.png,1,"2",3\n0003.png,5,\n0004.png,12\n')
    source = opened(compose, table)
    assert [sample.label for sample in source.samples] == ["6,604", "1,2", "12"]
    assert [(file.name, file.reason.split(";")[0]) for file in source.skipped] == [
        ("line 4", "it has 4 cells, but there are 2 columns"),
        ("line 5", "it has 3 cells, but there are 2 columns"),
    ]
    assert any(note.startswith("1 labels hold the delimiter ','") for note in source.notes)
    table.write_text("file,label,split\n0000.png,6,604,train\n0001.png,5,train\n")
    assert [file.name for file in opened(compose, table).skipped] == ["line 2"]


def test_blanks_around_cells_are_left_out_and_counted(compose: Compose, folder: Path) -> None:
    (folder / "labels.csv").write_text("file, label\n" + lines("{name}.png, {label} "))
    source = opened(compose, folder / "labels.csv")
    check(source)
    assert source.notes == ["blanks around 12 cells were left out"]
    (folder / "quoted.csv").write_text('file, label\n0000.png, "a, b"\n')
    assert [sample.label for sample in opened(compose, folder / "quoted.csv").samples] == ["a, b"]


def test_texts_that_look_like_something_else_stay_texts(compose: Compose, folder: Path) -> None:
    words = ["NA", "null", "nan", "TRUE", "1e5", "007", "-5", "=1+1", "0x1F", "1_000", "3.0", "2024-05-01"]
    rows = dict(zip(ROWS, words, strict=True))
    (folder / "labels.csv").write_text("file,label\n" + "".join(f"{name}.png,{word}\n" for name, word in rows.items()))
    (folder / "labels.json").write_text(json.dumps({f"{name}.png": word for name, word in rows.items()}))
    for table in ("labels.csv", "labels.json"):
        assert [sample.label for sample in opened(compose, folder / table).samples] == words
    (folder / "numbers.jsonl").write_text('{"file": "0000.png", "label": 1e5}\n{"file": "0001.png", "label": 1.50}\n')
    assert [sample.label for sample in opened(compose, folder / "numbers.jsonl").samples] == ["1e5", "1.50"]


def test_json_forms_are_read(compose: Compose, folder: Path) -> None:
    images = [{"id": place, "file_name": f"{name}.png"} for place, name in enumerate(ROWS)]
    notes = [{"image_id": place, "caption": label} for place, label in enumerate(ROWS.values())]
    records = [{"file_name": f"{name}.png", "text": label} for name, label in ROWS.items()]
    forms = {
        "doctr.json": json.dumps({f"{name}.png": label for name, label in ROWS.items()}),
        "metadata.jsonl": "".join(json.dumps(record) + "\n" for record in records),
        "list.json": json.dumps(records),
        "wrapped.json": json.dumps({"version": 1, "data": records}),
        "coco.json": json.dumps({"images": images, "annotations": notes}),
    }
    for name, text in forms.items():
        (folder / name).write_text(text)
        check(opened(compose, folder / name))
    (folder / "broken.json").write_text("{")
    with pytest.raises(InputError, match=r"broken\.json cannot be read as JSON"):
        opened(compose, folder / "broken.json")


def test_images_beside_a_json_table_are_found_in_images(compose: Compose, folder: Path) -> None:
    (folder.parent / "labels.json").write_text(json.dumps({f"{name}.png": label for name, label in ROWS.items()}))
    source = opened(compose, folder.parent / "labels.json")
    check(source)
    assert any(f"in {folder} (set `dataset.image_root=...`" in note for note in source.notes)


def test_paths_of_windows_are_found(compose: Compose, folder: Path) -> None:
    table = folder.parent / "labels.csv"
    table.write_text("file,label\r\n" + lines("images\\{name}.png,{label}", "\r\n"))
    check(opened(compose, table))
    table.write_text("file,label\r\n" + lines("C:\\Users\\me\\images\\{name}.png,{label}", "\r\n"))
    source = opened(compose, table)
    check(source)
    assert "matched by the last 2 parts of their paths" in source.notes[0]
    assert "`dataset.image_root=...`" in source.notes[0]


def test_files_of_equal_names_in_several_folders_are_not_guessed(
    compose: Compose, make_folder: MakeFolder, folder: Path
) -> None:
    make_folder(list(ROWS), "others")
    folder.rename(folder.with_name("pictures"))
    (folder.parent / "labels.csv").write_text("file,label\n" + lines("/gone/{name}.png,{label}"))
    with pytest.raises(InputError, match=r"are in several folders: .*; set `dataset\.image_root=\.\.\.`"):
        opened(compose, folder.parent / "labels.csv")


def test_an_id_with_two_files_is_not_guessed(compose: Compose, folder: Path) -> None:
    (folder / "0003.jpg").write_bytes((folder / "0003.png").read_bytes())
    (folder / "labels.csv").write_text("file,label\n" + lines("{name},{label}"))
    assert [(file.name, file.reason) for file in opened(compose, folder / "labels.csv").skipped] == [
        ("0003", "no such file")
    ]


def test_a_legacy_encoding_is_asked_for_with_what_each_would_read(compose: Compose, folder: Path) -> None:
    (folder / "labels.csv").write_text("file,label\n0000.png,день\n", encoding="cp1251")
    with pytest.raises(InputError, match=r"`dataset\.encoding=cp1251` reads '0000\.png,день'"):
        opened(compose, folder / "labels.csv")
    source = opened(compose, folder / "labels.csv", "dataset.encoding=cp1251")
    assert [sample.label for sample in source.samples] == ["день"]
    with pytest.raises(InputError, match=r"dataset\.encoding=nonsense is no text encoding"):
        opened(compose, folder / "labels.csv", "dataset.encoding=nonsense")


def test_what_was_found_out_can_be_overridden(compose: Compose, folder: Path) -> None:
    (folder / "odd.csv").write_text("x:y\n" + lines("{name}.png:{label}"))
    columns = ("dataset.file_column=x", "dataset.label_column=y")
    check(opened(compose, folder / "odd.csv", "dataset.delimiter=':'", *columns))
    (folder / "odd.csv").write_text(lines("{name}.png:{label}"))
    columns = ("dataset.file_column='1'", "dataset.label_column='2'", "dataset.header=false")
    check(opened(compose, folder / "odd.csv", "dataset.delimiter=':'", *columns))
    with pytest.raises(InputError, match=r"dataset\.delimiter must be one character, or one of comma, semicolon"):
        opened(compose, folder / "odd.csv", "dataset.delimiter=colon")

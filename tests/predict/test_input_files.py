"""Which files arguments stand for, and the lines that are printed of them."""

import csv
import io
import json
from pathlib import Path

import pytest

from captcha_exp.config import OutputFormat
from captcha_exp.predict import input_files
from captcha_exp.predict.input_files import batches, file_names, read_file
from captcha_exp.predict.output_lines import line_of
from captcha_exp.reader.image_formats import BadImageError
from captcha_exp.reader.predictor import Reading

READING = Reading("aB", 0.98765432, [("ab", 0.0123), ("b", 1e-9)])
BAD = BadImageError("no\nimage")
NAME = 'a,\n\t"b\\\udcff.png'


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("b.png", "a.JPG", "notes.txt", "in/c.png", "in/.d.png", ".hidden/e.png", "x[1].png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_folder_stands_for_the_images_below_it(tree: Path) -> None:
    (tree / "f.SVG").touch()  # it cannot be read, and is told
    assert list(file_names(["."])) == ["./a.JPG", "./b.png", "./f.SVG", "./x[1].png", "./in/c.png"]


def test_a_glob_stands_for_what_matches(tree: Path) -> None:
    assert list(file_names(["*.png"])) == ["b.png", "x[1].png"]
    assert list(file_names(["**/*.png"])) == ["b.png", "in/c.png", "x[1].png"]
    assert list(file_names(["x[1].png"])) == ["x[1].png"], "a file of that name comes first"


def test_what_is_missing_stays_to_be_told(tree: Path) -> None:
    (tree / "empty").mkdir()
    names = list(file_names(["gone.png", "z*.png", "empty"]))
    assert names == ["gone.png", "z*.png", "empty"]
    assert [str(read_file(name)) for name in names] == [
        *("No such file or directory", "No such file or directory", "Is a directory")
    ]


def test_names_on_standard_input_are_read_as_they_come(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lines():
        yield "b.png\n"
        yield "\n"
        yield " in/c.png\r\n"
        raise AssertionError("asked for more than was needed")

    monkeypatch.setattr("sys.stdin", lines())
    names = batches(file_names(["a.JPG", "-"]), 3)
    assert next(names) == ["a.JPG", "b.png", " in/c.png"]


def test_a_file_without_end_is_not_read_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(input_files, "MAX_FILE_BYTES", 2**20)
    assert str(read_file("/dev/zero")) == "larger than 1 MiB"
    assert str(read_file("a\0b")) == "embedded null byte"


@pytest.mark.parametrize("output_format", OutputFormat)
@pytest.mark.parametrize("reading", [READING, BAD], ids=["read", "bad"])
def test_each_file_is_one_line_whatever_its_name(output_format: OutputFormat, reading: Reading | BadImageError) -> None:
    _, line = line_of(output_format, 2)
    assert len(line(NAME, reading).splitlines()) == 1
    line(NAME, reading).encode()


def test_text_is_for_people() -> None:
    header, line = line_of(OutputFormat.text, 2)
    assert header is None
    assert line(NAME, READING) == 'a,\\n\\t"b\\\\\\udcff.png\taB\t0.9877\tab\t0.0123\tb\t0.0000'
    assert line("x.png", BAD) == "x.png\terror: no\\nimage"


def test_csv_has_the_same_columns_in_every_line() -> None:
    header, line = line_of(OutputFormat.csv, 2)
    rows = csv.DictReader(io.StringIO("\n".join([header, line("a,b.png", READING), line("x.png", BAD)])))
    read, bad = rows
    assert read == {
        **{"file": "a,b.png", "text": "aB", "confidence": "0.987654", "error": ""},
        **{"alternative_1": "ab", "confidence_1": "0.012300", "alternative_2": "b", "confidence_2": "0.000000"},
    }
    assert (bad["file"], bad["text"], bad["error"]) == ("x.png", "", "no\\nimage")


def test_jsonl_keeps_names_and_numbers() -> None:
    header, line = line_of(OutputFormat.jsonl, 2)
    assert header is None
    assert json.loads(line(NAME, READING)) == {
        **{"file": NAME, "text": "aB", "confidence": 0.987654},
        "alternatives": [{"text": "ab", "confidence": 0.0123}, {"text": "b", "confidence": 0.0}],
    }
    assert json.loads(line(NAME, BAD)) == {"file": NAME, "error": "no\nimage"}

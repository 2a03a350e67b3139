"""One way of writing labels, one alphabet."""

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.text import Text

from captcha_exp.config import Config, LabelCase, OutputFormat
from captcha_exp.dataset import prepare_dataset
from captcha_exp.dataset.label_checks import in_case, kept_letters
from captcha_exp.dataset.label_text import with_plain_labels
from captcha_exp.dataset.samples import Sample, Source
from captcha_exp.errors import InputError
from captcha_exp.figures import prediction_sheet
from captcha_exp.predict.output_lines import line_of
from captcha_exp.reader.predictor import Reading

Compose = Callable[..., Config]
MakeFolder = Callable[..., Path]


def plain(*labels: str) -> Source:
    samples = [Sample(str(place), label, "own", "", "") for place, label in enumerate(labels)]
    return with_plain_labels(Source("own", "own", samples, [], bytes))


def test_composed_and_decomposed_letters_are_one_class() -> None:
    source = plain("äö", unicodedata.normalize("NFD", "äö"), "ab")
    assert [sample.label for sample in source.samples] == ["äö", "äö", "ab"]
    assert source.notes == ["1 labels had letters in parts; they are composed now (Unicode NFC)"]


def test_what_shows_nothing_is_left_out_and_counted() -> None:
    source = plain("\u0645\u06cc\u200c\u062e", "\u200ea\u200d", "a\u00a0b", "c ", "\u200b")
    assert [sample.label for sample in source.samples] == ["\u0645\u06cc\u062e", "a", "a b", "c"]
    assert [file.reason for file in source.skipped] == ["its label is empty"]
    assert [note.split(" labels")[0] for note in source.notes] == ["3", "2"]


def test_ordinary_labels_are_the_same_source() -> None:
    source = Source("own", "own", [Sample("a", "İß汉字é", "own", "", "")], [], bytes)
    assert with_plain_labels(source) is source


def test_one_letter_stays_one_letter_in_the_other_case() -> None:
    assert in_case(["Straße", "İz", "ŉ", "abc"], LabelCase.upper) == ["STRAßE", "İZ", "ŉ", "ABC"]
    assert in_case(["İZ", "ΣДΣ", "ABC"], LabelCase.lower) == ["İz", "\u03c3д\u03c3", "abc"]
    assert kept_letters(["Straße", "ŉ"], LabelCase.upper) == "ßŉ"
    assert kept_letters(["ABC"], LabelCase.lower) == ""


def test_a_vocabulary_can_be_a_file(
    compose: Compose, make_folder: MakeFolder, labels: list[str], told: list[str]
) -> None:
    folder = make_folder(labels)
    (folder.parent / "dict.txt").write_text("\n".join("0123456789äß") + "\n", encoding="utf-8")
    file = f"dataset.vocabulary_file={folder.parent}/dict.txt"
    config = compose("dataset=folder", f"dataset.path={folder}", file)
    assert prepare_dataset(config.dataset, config.root_path).vocabulary.characters == "0123456789ßä"
    assert any("2 of the 12 characters of the vocabulary are in no training label" in line for line in told)
    (folder.parent / "dict.txt").write_text("01234")
    with pytest.raises(InputError, match=r"which is not in dataset\.vocabulary_file=.*dict\.txt\. Add it there\."):
        prepare_dataset(config.dataset, config.root_path)
    with pytest.raises(InputError, match="cannot both be set"):
        compose("dataset=folder", f"dataset.path={folder}", file, "dataset.vocabulary=abc")


def test_rare_characters_are_counted(compose: Compose, make_folder: MakeFolder, told: list[str]) -> None:
    rare = [chr(0x4E00 + number) for number in range(30)]
    folder = make_folder([f"{number % 10}{number // 10}{one}" for number, one in enumerate(rare)])
    config = compose("dataset=folder", f"dataset.path={folder}", "dataset.validation_fraction=0.5")
    with pytest.raises(InputError, match="characters that only one group has must stay in training"):
        prepare_dataset(config.dataset, config.root_path)
    (folder / "11.png").write_bytes((folder / f"00{rare[0]}.png").read_bytes()[:-1] + b"x")
    common = make_folder([f"{number:03d}" for number in range(60)])
    config = compose("dataset=folder", f"dataset.path={common}")
    prepare_dataset(config.dataset, config.root_path)
    assert any("characters in the training labels are in fewer than 3 of them" in line for line in told)


def test_texts_from_right_to_left_keep_the_order_of_typing_from_the_table_to_what_predict_prints(
    compose: Compose, make_folder: MakeFolder, told: list[str]
) -> None:
    """Joiners and marks of direction show nothing, so they are in no label, figure or line."""
    words = [
        "\u05e9\u05dc\u05d5\u05dd12",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0645",
        "\u200f\u05d0\u05d1\u05d2\u200e",
    ]
    seen = ["\u05e9\u05dc\u05d5\u05dd12", "\u0645\u06cc\u062e\u0648\u0627\u0645", "\u05d0\u05d1\u05d2"]
    rows = [(f"{number}.png", words[number % 3] + "abcdefghij"[number // 3]) for number in range(30)]
    folder = make_folder([str(number) for number in range(30)])
    (folder / "labels.csv").write_text("file,label\n" + "".join(f"{file},{label}\n" for file, label in rows), "utf-8")
    config = compose("dataset=manifest", f"dataset.path={folder}/labels.csv")
    dataset = prepare_dataset(config.dataset, config.root_path)
    labels = [label for split in (dataset.train, dataset.validation, dataset.test) for label in split.labels]
    assert sorted(labels) == sorted(word + letter for word in seen for letter in "abcdefghij")
    assert "20 labels had characters that show nothing (such as zero-width joiners); these are left out" in told
    assert any("30 labels have letters that are written from right to left" in line for line in told)
    images = np.full((3, 8, 24), 255, np.uint8)
    sheet = prediction_sheet(images, seen, seen[1:] + seen[:1], [0.5] * 3, 3)
    assert set(seen) <= {text.get_text() for text in sheet.findobj(Text)}  # type: ignore[attr-defined]
    for form in OutputFormat:
        line = line_of(form, 0)[1]("a.png", Reading(seen[0], 0.5))
        assert seen[0] in (json.loads(line)["text"] if form is OutputFormat.jsonl else line)

"""One way of writing labels, one alphabet."""

import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from captcha_exp.config import Config, LabelCase
from captcha_exp.dataset import prepare_dataset
from captcha_exp.dataset.label_checks import in_case, kept_letters
from captcha_exp.dataset.label_text import with_plain_labels
from captcha_exp.dataset.samples import Sample, Source
from captcha_exp.errors import InputError

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

"""Labels against vocabulary, case and model."""

from collections.abc import Callable
from pathlib import Path

import pytest

from captcha_exp.config import Config
from captcha_exp.dataset import PreparedDataset, check_labels_fit, prepare_dataset
from captcha_exp.errors import InputError

Compose = Callable[..., Config]
MakeFolder = Callable[..., Path]


def prepared(compose: Compose, folder: Path, *overrides: str) -> PreparedDataset:
    config = compose("dataset=folder", f"dataset.path={folder}", *overrides)
    return prepare_dataset(config.dataset, config.root_path)


def test_the_vocabulary_is_that_of_the_training_labels_and_covers_every_split(
    compose: Compose, make_folder: MakeFolder, labels: list[str]
) -> None:
    folder = make_folder([*labels, "x00"])
    for seed in range(5):
        dataset = prepared(compose, folder, f"dataset.split_seed={seed}", "dataset.test_fraction=0.3")
        assert dataset.vocabulary.characters == "0123456789x"
        assert "x00" in dataset.train.labels
        for split in dataset.splits:
            dataset.vocabulary.encode(split.labels)


def test_a_given_vocabulary_is_used_whole(compose: Compose, make_folder: MakeFolder, labels: list[str]) -> None:
    dataset = prepared(compose, make_folder(labels), "dataset.vocabulary=z9876543210")
    assert dataset.vocabulary.characters == "0123456789z"


def test_a_label_outside_the_given_vocabulary_is_named_with_its_file(
    compose: Compose, make_folder: MakeFolder, labels: list[str]
) -> None:
    message = (
        r"^Label '7Q0' of 7Q0\.png has the character 'Q', which is not in dataset\.vocabulary='0123456789'\. "
        r"Add it there, or set `dataset\.vocabulary=null`\.$"
    )
    with pytest.raises(InputError, match=message):
        prepared(compose, make_folder([*labels, "7Q0"]), "dataset.vocabulary='0123456789'")


def test_the_case_is_changed_before_vocabulary_and_splits(compose: Compose, make_folder: MakeFolder) -> None:
    letters = [f"{a}{b}" for a in "abcde" for b in "abcde"]
    folder = make_folder([*letters, *(label.upper() for label in letters)])
    assert prepared(compose, folder).vocabulary.characters == "ABCDEabcde"
    for case, characters in (("lower", "abcde"), ("upper", "ABCDE")):
        dataset = prepared(compose, folder, f"dataset.label_case={case}", f"dataset.vocabulary={characters}")
        assert dataset.vocabulary.characters == characters
        sides = [set(split.labels) for split in dataset.splits]
        assert not sides[0] & sides[1] and not sides[0] & sides[2] and not sides[1] & sides[2]


def test_a_label_too_long_for_the_model_is_named_with_what_to_change(
    compose: Compose, make_folder: MakeFolder, labels: list[str]
) -> None:
    dataset = prepared(compose, make_folder([*labels, "1122"]))
    check_labels_fit(dataset, 6)
    message = (
        r"^Label '1122' needs at least 6 time steps, but this model gives 5\. "
        r"Lower `cnn\.width_stride` or raise `dataset\.image_width`\.$"
    )
    with pytest.raises(InputError, match=message):
        check_labels_fit(dataset, 5)


def test_a_split_is_found_by_its_name(compose: Compose, make_folder: MakeFolder, labels: list[str]) -> None:
    dataset = prepared(compose, make_folder(labels))
    assert dataset.split("validation") is dataset.validation
    with pytest.raises(InputError, match="There is no split 'dev'; there are train, validation, test"):
        dataset.split("dev")

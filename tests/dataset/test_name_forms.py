"""Names of files that hold more than a label are recognised, and those that are labels are not."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from captcha_exp.config import Config
from captcha_exp.dataset import prepare_dataset
from captcha_exp.dataset.folder_names import are_labels, are_splits
from captcha_exp.dataset.name_forms import recognised
from captcha_exp.errors import InputError

Compose = Callable[..., Config]
MakeFolder = Callable[..., Path]
LABELS = [f"{(index * 2633) % 10_000:04d}" for index in range(40)]
WORDS = [f"{chr(97 + index % 26)}{chr(97 + index * 7 % 26)}k{index % 10}" for index in range(40)]
MORE = {
    "browser": [*LABELS, *(f"{label} (1)" for label in LABELS[:10])],
    "browser alone": [*LABELS[:30], *(f"{label} (1)" for label in LABELS[30:])],
    "explorer": [*LABELS, *(f"{label} - Copy" for label in LABELS[:10])],
    "second": [*LABELS, *(f"{label}_2" for label in LABELS[:10])],
    "zeroes": [f"{label}-0" for label in LABELS],
    "counted": [f"{label}-{number}" for label in LABELS for number in range(3)],
    "counted by points": [f"{label}.{number}" for label in LABELS for number in (1, 2)],
    "two strokes": [f"{label}__{number}" for label in LABELS for number in range(2)],
    "some seconds": [*LABELS[:30], *(f"{label}_3" for label in LABELS[30:])],
    "gaps": [f"{label}_{number}" for label in LABELS for number in (3, 7, 12)],
    "running before": [f"{number:04d}_{label}" for number, label in enumerate(WORDS)],
    "running behind": [f"{label}_{number}" for number, label in enumerate(WORDS, start=1)],
    "time": [f"{label}_{1_699_999_999_123 + number * 7919}" for number, label in enumerate(LABELS)],
    "digest": [f"{label}-{number * 0x9E3779B97F4A7C15 % 2**64:016x}" for number, label in enumerate(LABELS, start=1)],
}
WHOLE = {
    "texts": LABELS,
    "plates": [f"KA-{index % 60:02d}-HH-{(index * 7919) % 10_000:04d}" for index in range(40)],
    "prices": [f"{index * 37 % 90}.{index * 13 % 100:02d}" for index in range(40)],
    "sums": [f"{index % 10}+{index * 7 % 10}" for index in range(40)],
    "years": [f"{1950 + index}-{index % 12 + 1:02d}" for index in range(40)],
    "brackets": [f"f({index % 10}){index}" for index in range(40)],
    "few": ["a_1", "a_2"],
}


@pytest.mark.parametrize("kind", MORE)
def test_a_form_is_recognised_and_its_pattern_gives_the_labels(kind: str) -> None:
    form = recognised(MORE[kind])
    assert form is not None
    labels = {re.fullmatch(form.pattern, name)["label"] for name in MORE[kind]}  # type: ignore[index]
    assert labels == set(WORDS if kind.startswith("running") else LABELS)


@pytest.mark.parametrize("kind", WHOLE)
def test_names_that_are_labels_are_left_alone(kind: str) -> None:
    assert recognised(WHOLE[kind]) is None


def test_the_line_says_what_to_type_and_what_is_typed_works(compose: Compose, make_folder: MakeFolder) -> None:
    """`1234 (1)` became another label, so copies of one text were in training and in test."""
    folder = make_folder(MORE["browser"])
    config = compose("dataset=folder", f"dataset.path={folder}")
    with pytest.raises(InputError, match="10 names end as copies do") as caught:
        prepare_dataset(config.dataset, config.root_path)
    assert "'dataset.label_pattern=(?P<label>.+?)(?: ?\\([0-9]+\\))?'" in str(caught.value)
    typed = [word for word in shlex.split(str(caught.value)) if word.startswith("dataset.label_pattern=")]
    patterns = [word.removeprefix("dataset.label_pattern=").rstrip(",") for word in typed]
    changed = [config.dataset.model_copy(update={"label_pattern": pattern}) for pattern in patterns]
    dataset, whole = (prepare_dataset(one, config.root_path) for one in changed)
    sides = [set(split.labels) for split in dataset.splits]
    assert set().union(*sides) == set(LABELS) and sum(map(len, sides)) == len(LABELS)
    assert sum(map(len, (split.labels for split in dataset.splits))) == 50
    assert "(" in whole.vocabulary.characters


def test_a_folder_for_each_label_is_recognised(compose: Compose, make_folder: MakeFolder) -> None:
    for place, letter in enumerate("xyz"):
        make_folder([str(number + 10 * place) for number in range(0)], f"images/{letter}")
    folder = make_folder([f"{letter}/{number}" for letter in ("x", "y", "z") for number in range(5)])
    for recursive in ("true", "false"):
        config = compose("dataset=folder", f"dataset.path={folder}", f"dataset.recursive={recursive}")
        with pytest.raises(InputError, match=r"set `dataset\.label_from=folder` if the folders' names are the labels"):
            prepare_dataset(config.dataset, config.root_path)
    config = compose("dataset=folder", f"dataset.path={folder}", "dataset.label_from=folder")
    with pytest.raises(InputError, match=r"Or set `dataset\.equal_labels=apart`"):
        prepare_dataset(config.dataset, config.root_path)
    apart = config.dataset.model_copy(update={"equal_labels": type(config.dataset.equal_labels)("apart")})
    dataset = prepare_dataset(apart, config.root_path)
    assert dataset.vocabulary.characters == "xyz"
    assert [len(split) for split in dataset.splits] == [11, 2, 2]


def test_what_folders_stand_for() -> None:
    classes = [f"{letter}/{letter}_{number}.png" for letter in "abc" for number in range(9)]
    assert are_labels(classes) and not are_splits(classes)
    given = [f"{split}/{label}.png" for split in ("train", "Val", "testing") for label in LABELS]
    assert are_splits(given) and not are_labels(given)
    sessions = [f"day{index % 3}/{label}.png" for index, label in enumerate(LABELS)]
    assert not are_splits(sessions) and not are_labels(sessions)

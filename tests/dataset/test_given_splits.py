"""A dataset's own division into train, validation and test."""

from collections.abc import Callable
from pathlib import Path

import pytest

from captcha_exp.config import Config, EqualLabels, LabelFrom, load_dataset_config
from captcha_exp.dataset import PreparedDataset, check_labels_fit, prepare_dataset
from captcha_exp.errors import InputError
from tests.dataset.conftest import png

Compose = Callable[..., Config]
SIDES = {"train": range(20), "valid": range(20, 26), "test": range(26, 34)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = []
    for side, numbers in SIDES.items():
        (tmp_path / "images" / side).mkdir(parents=True)
        for number in numbers:
            (tmp_path / "images" / side / f"{number:02d}k.png").write_bytes(png(number))
            rows.append(f"{side}/{number:02d}k.png,{number:02d}k,{side}\n")
    (tmp_path / "images" / "labels.csv").write_text("file,label,part\n" + "".join(rows))
    return tmp_path / "images"


def prepared(compose: Compose, folder: Path, *overrides: str) -> PreparedDataset:
    config = compose("dataset=folder", f"dataset.path={folder}", *overrides)
    return prepare_dataset(config.dataset, config.root_path)


def test_folders_and_columns_give_the_splits(compose: Compose, folder: Path) -> None:
    by_table = compose(
        *("dataset=manifest", f"dataset.path={folder}/labels.csv", "dataset.given_splits=true"),
        "dataset.split_column=part",
    )
    for dataset in (
        prepared(compose, folder, "dataset.given_splits=true"),
        prepare_dataset(by_table.dataset, by_table.root_path),
    ):
        assert [len(split) for split in dataset.splits] == [20, 6, 8]
        assert all(name.startswith("test/") for name in dataset.test.names)
        assert set("3") <= set(dataset.vocabulary.characters)  # only test has it


def test_a_division_that_is_not_used_is_told(compose: Compose, folder: Path, told: list[str]) -> None:
    dataset = prepared(compose, folder, "dataset.recursive=true")
    assert [len(split) for split in dataset.splits] != [20, 6, 8]
    assert any("its own division (8 test, 20 train, 6 validation)" in line for line in told)
    with pytest.raises(InputError, match=r"Set `dataset\.given_splits=true` to take this division"):
        prepared(compose, folder)


def test_leaks_are_named_and_refused_or_dropped(compose: Compose, folder: Path, told: list[str]) -> None:
    (folder / "train" / "30k.png").write_bytes(png(99))  # a test label on another image
    (folder / "valid" / "same.png").write_bytes(png(3))  # a training image under another name
    given = "dataset.given_splits=true"
    with pytest.raises(
        InputError, match=r"2 train images .* another split: .*30k\.png and test/30k\.png \('30k'\)"
    ) as caught:
        prepared(compose, folder, given)
    assert "train/03k.png and valid/same.png" in str(caught.value)
    dataset = prepared(compose, folder, given, "dataset.leaks=drop")
    assert [len(split) for split in dataset.splits] == [19, 7, 8]
    assert any("2 train images" in line and "left out" in line for line in told)
    apart = prepared(compose, folder, given, "dataset.leaks=drop", "dataset.equal_labels=apart")
    assert [len(split) for split in apart.splits] == [20, 7, 8]


def test_without_validation_images_training_gives_some(compose: Compose, folder: Path) -> None:
    for path in (folder / "valid").iterdir():
        path.unlink()
    dataset = prepared(compose, folder, "dataset.given_splits=true")
    assert [len(split) for split in dataset.splits] == [18, 2, 8]


def test_an_image_without_a_split_is_named(compose: Compose, folder: Path) -> None:
    (folder / "zz.png").write_bytes(png(77))
    with pytest.raises(InputError, match=r"the split of zz\.png is '', which means none of train"):
        prepared(compose, folder, "dataset.given_splits=true")


def test_all_images_can_be_test_images(compose: Compose, folder: Path) -> None:
    dataset = prepared(compose, folder / "train", "dataset.test_fraction=1", "dataset.limit=2")
    assert [len(split) for split in dataset.splits] == [0, 0, 2]
    with pytest.raises(InputError, match=r"No image is left to train on: `dataset\.test_fraction=1`"):
        check_labels_fit(dataset, 50)


def test_evaluate_takes_a_whole_dataset_as_test(compose: Compose, folder: Path) -> None:
    from hydra import compose as composed
    from hydra import initialize_config_dir

    from captcha_exp.config import EvaluateCommandConfig, SplitName, conf_dir, load
    from captcha_exp.evaluate.__main__ import as_one_test_split

    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        typed = composed("evaluate", ["model=m", "split=all", "dataset=folder", f"dataset.path={folder}/train"])
    config = as_one_test_split(load(EvaluateCommandConfig, typed))
    assert (config.split, config.dataset.test_fraction) == (SplitName.test, 1.0)


def test_datasets_of_earlier_versions_are_loaded_as_they_were_read() -> None:
    """Their names were labels as a whole, and nothing was found out."""
    common = {
        **{"image_height": 50, "image_width": 200, "keep_aspect_ratio": False, "background": 255, "vocabulary": None},
        **{"label_case": "keep", "validation_fraction": 0.1, "test_fraction": 0.1, "split_seed": 0},
        **{"max_bad_share": 0.01, "limit": None},
        "expected": {"images": None, "images_tolerance": 0.0, "length": None, "alphabet": None},
    }
    folder = {"source": "folder", "path": "images", "label_pattern": "(?P<label>.+)", "recursive": False}
    loaded = load_dataset_config({**common, **folder})
    assert loaded.label_from is LabelFrom.name  # type: ignore[attr-defined]
    assert (loaded.given_splits, loaded.equal_labels, loaded.vocabulary_file) == (False, EqualLabels.together, None)
    table = {"source": "manifest", "path": "a.csv", "file_column": "file", "label_column": "label", "image_root": None}
    assert load_dataset_config({**common, **table}).delimiter is None  # type: ignore[attr-defined]

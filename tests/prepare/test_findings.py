"""Everything that is wrong with a dirty folder is found, by name."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from captcha_exp.config import Config
from captcha_exp.dataset import prepare_dataset
from captcha_exp.dataset.sources import open_source
from captcha_exp.prepare.audit import audit_dataset
from captcha_exp.prepare.audit_folder import find_audit, write_audit
from captcha_exp.prepare.audit_page import render_page
from tests.prepare.conftest import MARKUP, write_sound


def audited(config: Config) -> tuple[Path, str]:
    """Folder and page of the audit of a configuration's dataset."""
    root = config.root_path
    dataset = prepare_dataset(config.dataset, root)
    source = open_source(config.dataset, root / "cache")
    audit = audit_dataset(source, dataset, config.dataset, None)
    page = render_page(audit, source.load)
    return write_audit(audit, page, root).parent, page


@pytest.fixture
def overrides(dirty: Path) -> list[str]:
    return [
        "dataset=folder",
        f"dataset.path={dirty}",
        "dataset.max_bad_share=1",
        "dataset.label_pattern='(.*_)?(?P<label>.+)'",
    ]


@pytest.fixture
def table(compose: Callable[..., Config], overrides: list[str]) -> dict[str, Any]:
    folder, _ = audited(compose(*overrides))
    return json.loads((folder / "audit.json").read_text())


def names(groups: list[dict[str, Any]]) -> list[list[str]]:
    return sorted(sorted(sample["name"] for sample in group["samples"]) for group in groups)


def test_files_that_give_no_image_are_named_with_the_reason(table: dict[str, Any]) -> None:
    found = {file["name"]: (file["kind"], file["reason"]) for file in table["problems"]["unusable"]}
    assert found == {
        "short_abc.png": ("truncated", "not readable as an image (image file is truncated)"),
        "tail_eeab1.jpg": ("truncated", found["tail_eeab1.jpg"][1]),
        "text_abe.png": ("unreadable", found["text_abe.png"][1]),
        "zero_ab.png": ("empty", "the file is empty"),
    }
    assert found["text_abe.png"][1].startswith("not an image")
    assert table["problems"]["cut_off"] == ["tail_eebb1.png"]


def test_a_file_of_another_format_than_its_suffix_is_named(table: dict[str, Any]) -> None:
    assert table["problems"]["wrong_suffix"] == [{"name": "wrong_aacc1.png", "format": "JPEG"}]


def test_copies_are_told_from_other_encodings_and_from_likenesses(table: dict[str, Any]) -> None:
    problems = table["problems"]
    two = ["two1_ddaa1.png", "two2_ddab1.png"]
    assert names(problems["equal_bytes"]) == [
        [f"markup1_{MARKUP}.png", f"markup2_{MARKUP}.png"],
        ["twice1_bbaa1.png", "twice2_bbaa1.png"],
        two,
    ]
    assert names(problems["equal_pixels"]) == [["other1_ccaa1.png", "other2_ccaa1.bmp"]]
    assert names(problems["equal_pixels_different_labels"]) == [two]
    assert names(problems["near_duplicates"]) == [["near1_eeaa1.png", "near2_eeaa1.jpg"]]
    assert problems["near_duplicates_complete"] is True


def test_labels_are_counted(table: dict[str, Any]) -> None:
    labels = table["labels"]
    assert labels["lengths"] == {"4": 62, "5": 13, str(len(MARKUP)): 2}
    assert labels["case_twins"] == [["Cace", "cAce"]]
    assert {"c": labels["characters"]["c"], "C": 1} in labels["look_alikes"]
    assert labels["characters"]["A"] == 1
    assert labels["adjacent_repeats"]["c"] >= 2 and labels["labels_with_repeats"] >= 10
    assert labels["shared"] == {}


def test_images_are_counted_by_split_mode_format_and_size(table: dict[str, Any]) -> None:
    assert table["counts"]["usable"] == 77 and table["counts"]["unusable"] == 4
    assert sum(table["counts"]["by_origin"]["folder"].values()) == 77
    assert table["images"]["modes"] == {"RGB": 74, "P": 1, "RGBA": 1, "I;16": 1}
    assert table["images"]["formats"] == {"PNG": 74, "JPEG": 2, "BMP": 1}
    assert table["images"]["sizes"] == [{"width": 120, "height": 40, "count": 77}]


def test_near_duplicates_in_different_splits_come_first(tmp_path: Path, compose: Callable[..., Config]) -> None:
    """Nothing but their labels holds two nearly equal pictures in one split."""
    folder = tmp_path / "images"
    write_sound(folder)
    for file in sorted(folder.glob("*.png")):
        # Other bytes but the same pixels, which stay in one split.
        (folder / f"{file.stem[::-1]}x.png").write_bytes(file.read_bytes() + b"\0")
        Image.open(file).save(folder / f"{file.stem}y.jpg", quality=80)
    found, _ = audited(compose("dataset=folder", f"dataset.path={folder}"))
    problems = json.loads((found / "audit.json").read_text())["problems"]
    across = [group["across_splits"] for group in problems["near_duplicates"]]
    assert len(across) == 60 and any(across) and not all(across)
    assert across == sorted(across, reverse=True)
    assert len(problems["equal_pixels_different_labels"]) == 60
    assert not any(group["across_splits"] for group in problems["equal_pixels_different_labels"])


def test_what_differs_from_the_expected_is_warned_of(compose: Callable[..., Config], overrides: list[str]) -> None:
    expected = ["images=82", "length=4", "alphabet=abcdeAC1"]
    config = compose(*overrides, *(f"dataset.expected.{value}" for value in expected))
    warnings = json.loads((audited(config)[0] / "audit.json").read_text())["warnings"]
    assert warnings[0] == "dataset.expected.images is 82, but there are 81 image files"
    assert warnings[1].startswith(
        "dataset.expected.length is 4, but these have another length: 15 labels: 'dddd1' (alpha_"
    )
    assert warnings[2].endswith(f"'{MARKUP}' (markup1_{MARKUP}.png), '{MARKUP}' (markup2_{MARKUP}.png)")
    close = compose(*overrides, "dataset.expected.images=82", "dataset.expected.images_tolerance=0.02")
    assert json.loads((audited(close)[0] / "audit.json").read_text())["warnings"] == []


def test_hostile_names_and_labels_stay_text(compose: Callable[..., Config], overrides: list[str]) -> None:
    _, page = audited(compose(*overrides))
    assert MARKUP not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "<script" not in page and "http://" not in page and "https://" not in page


def test_an_audit_is_found_for_the_same_data_divided_alike(
    compose: Callable[..., Config], overrides: list[str], tmp_path: Path
) -> None:
    config = compose(*overrides)
    folder, _ = audited(config)
    assert folder.parent == tmp_path / "audits" and folder.name.startswith("captchas-")
    fingerprint = prepare_dataset(config.dataset, tmp_path).fingerprint
    files = [folder / "audit.json", folder / "index.html"]
    assert find_audit(tmp_path, fingerprint, config.dataset) == files
    assert find_audit(tmp_path, "0" * 32, config.dataset) == []
    assert find_audit(tmp_path, fingerprint, compose(*overrides, "dataset.split_seed=1").dataset) == []


@pytest.mark.parametrize("name", ["parsasam", "fournierp", "mahmoudeldebase", "bharatnaik111", "all"])
def test_the_kaggle_sets_say_what_they_should_hold(name: str, compose: Callable[..., Config]) -> None:
    expected = compose(f"dataset={name}").dataset.expected
    assert expected.images is not None and expected.alphabet is not None
    assert (expected.length is None) == (name == "all")


def test_the_real_images_are_as_they_are_described(data_dir: Path, compose: Callable[..., Config]) -> None:
    known = compose("dataset=fournierp").dataset.expected
    expected = [f"dataset.expected.{key}={getattr(known, key)}" for key in ("images", "length", "alphabet")]
    config = compose("dataset=folder", f"dataset.path={data_dir}/captcha_images_v2", *expected)
    found = json.loads((audited(config)[0] / "audit.json").read_text())
    assert found["warnings"] == ["dataset.expected.images is 1070, but there are 1040 image files"]
    assert found["counts"]["usable"] == 1040
    assert "".join(found["labels"]["characters"]) == "2345678bcdefgmnpwxy"
    assert found["labels"]["labels_with_repeats"] == 217
    assert [value for value in found["problems"].values() if value not in ([], True)] == []

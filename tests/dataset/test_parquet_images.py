"""Tables of Parquet, with the images inside or beside them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from captcha_exp.config import Config
from captcha_exp.dataset import prepare_dataset
from captcha_exp.dataset.samples import Source
from captcha_exp.dataset.sources import open_source
from captcha_exp.errors import InputError
from tests.dataset.conftest import png

Compose = Callable[..., Config]
MakeFolder = Callable[..., Path]
TEXTS = [f"{number:02d}a" for number in range(30)]
# The type of Hugging Face's image column.
IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def opened(compose: Compose, table: Path, *overrides: str) -> Source:
    config = compose("dataset=manifest", f"dataset.path='{table}'", *overrides)
    return open_source(config.dataset, config.root_path / "cache")


def written(path: Path, texts: list[Any], first: int = 0, metadata: dict[str, str] | None = None) -> Path:
    images = [{"bytes": png(first + place), "path": f"{place}.png"} for place in range(len(texts))]
    table = pa.table({"image": pa.array(images, IMAGE), "text": texts})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.replace_schema_metadata(metadata), path, row_group_size=8)
    return path


def test_images_inside_are_read_as_from_files(compose: Compose, make_folder: MakeFolder, tmp_path: Path) -> None:
    source = opened(compose, written(tmp_path / "set.parquet", TEXTS))
    assert [sample.label for sample in source.samples] == TEXTS
    assert "the table is read as Parquet; files are in column 'file', labels in column 'text'" in source.notes
    assert [source.load(sample.locator) for sample in source.samples] == [png(place) for place in range(30)]
    folder = make_folder(TEXTS)
    config = compose("dataset=manifest", f"dataset.path={tmp_path / 'set.parquet'}")
    same = compose("dataset=folder", f"dataset.path={folder}")
    assert (
        prepare_dataset(config.dataset, config.root_path).fingerprint
        == prepare_dataset(same.dataset, same.root_path).fingerprint
    )


def test_images_are_written_once_and_again_if_they_are_gone_or_the_table_changed(
    compose: Compose, tmp_path: Path
) -> None:
    table = written(tmp_path / "set.parquet", TEXTS)
    first = Path(opened(compose, table).samples[0].locator)
    first.with_name("0000003.png").write_bytes(b"x")
    assert opened(compose, table).load(str(first.with_name("0000003.png"))) == b"x"
    written(table, TEXTS, first=100)
    again = opened(compose, table)
    assert again.load(again.samples[3].locator) == png(103)


def test_tables_of_a_folder_are_one_with_the_splits_of_their_names(compose: Compose, tmp_path: Path) -> None:
    written(tmp_path / "data" / "train-00000-of-00002.parquet", TEXTS[:20])
    written(tmp_path / "data" / "train-00001-of-00002.parquet", TEXTS[20:25], first=20)
    written(tmp_path / "data" / "test-00000-of-00001.parquet", TEXTS[25:], first=25)
    source = opened(compose, tmp_path)
    assert {sample.label for sample in source.samples} == set(TEXTS)
    assert source.given == ["test"] * 5 + ["train"] * 25
    assert len({sample.locator for sample in source.samples}) == 30
    with pytest.raises(InputError, match=r"read by `dataset=manifest dataset\.path="):
        open_source(compose("dataset=folder", f"dataset.path={tmp_path}").dataset, tmp_path / "cache")


def test_paths_in_a_table_name_files_beside_it(compose: Compose, make_folder: MakeFolder) -> None:
    folder = make_folder(TEXTS)
    table = pa.table({"path": [f"{text}.png" for text in TEXTS], "label": TEXTS, "width": list(range(30))})
    pq.write_table(table, folder / "set.parquet")
    assert [sample.label for sample in opened(compose, folder / "set.parquet").samples] == TEXTS


def test_classes_are_read_by_their_names(compose: Compose, tmp_path: Path) -> None:
    features = {"text": {"names": ["AB1", "CD2"], "_type": "ClassLabel"}, "image": {"_type": "Image"}}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    source = opened(compose, written(tmp_path / "set.parquet", [0, 1, 0], metadata=metadata))
    assert [sample.label for sample in source.samples] == ["AB1", "CD2", "AB1"]


def test_a_row_without_an_image_or_text_is_named(compose: Compose, tmp_path: Path) -> None:
    images = [{"bytes": None, "path": "a.png"}, {"bytes": png(1), "path": None}, {"bytes": b"", "path": "b.png"}]
    table = pa.table({"image": pa.array(images, IMAGE), "text": ["a", None, "c"]})
    pq.write_table(table, tmp_path / "set.parquet")
    source = opened(compose, tmp_path / "set.parquet")
    assert [(file.name, file.reason) for file in source.skipped] == [
        ("line 1", "it names no file"),
        ("0000001", "its label is empty"),
    ]
    assert [sample.label for sample in source.samples] == ["c"]  # decoding says that its file is empty


@pytest.mark.parametrize("data", [b"", b"PAR1 nothing of the kind PAR1", b"PAR1"])
def test_a_damaged_table_is_refused_in_one_line(compose: Compose, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "set.parquet").write_bytes(data)
    with pytest.raises(InputError, match=r"set\.parquet cannot be read as Parquet: ") as refused:
        opened(compose, tmp_path / "set.parquet")
    assert "\n" not in str(refused.value)
    assert not list((tmp_path / "cache").glob("unpacked/*"))

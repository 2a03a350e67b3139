"""Kaggle's archives: broken off, damaged, or packed to write elsewhere."""

import io
import tarfile
from pathlib import Path

import pytest

from tests.dataset.kaggle_server import FOURNIERP, Kaggle, Prepare, archive, fournierp_files, image_bytes, last_error


def test_a_download_that_breaks_off_is_told_and_goes_on_where_it_was(
    kaggle: Kaggle, prepare: Prepare, tmp_path: Path
) -> None:
    whole = archive(fournierp_files())
    kaggle.archives[FOURNIERP], kaggle.cut_at = whole, 20_000
    error = last_error(prepare("dataset=fournierp"))
    assert f"{FOURNIERP} could not be fetched from Kaggle: " in error and error.endswith("Run the command again.")
    kaggle.cut_at = None
    # kagglehub's test environment reads all of an answer before it writes: this is what a kill leaves elsewhere.
    (left,) = (tmp_path / "kagglehub").glob("datasets/fournierp/*")
    (left / "3.archive").write_bytes(whole[:20_000])
    done = prepare("dataset=fournierp")
    assert done.returncode == 0, done.stderr
    assert kaggle.requests[-2:] == ["GET from 0", "GET from 20000"]
    assert "images       40 train, 5 validation, 5 test" in done.stdout


def tar(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as packed:
        for info, data in members:
            info.size = len(data)
            packed.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def link(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, target
    return info, b""


@pytest.mark.parametrize(
    ("packed", "reason"),
    [
        (b"this is no archive", "Unsupported archive type"),
        (archive(fournierp_files())[:-2000] + archive({"samples/x.png": b"x" * 10})[-80:], ""),
        (tar((tarfile.TarInfo("../outside.png"), image_bytes(1))), "outside the destination"),
        (tar(link("samples/11111.png", "../../../../../outside.png")), "outside the destination"),
    ],
    ids=["none", "damaged", "path outside", "link outside"],
)
def test_an_archive_that_cannot_be_unpacked_safely_is_refused_and_fetched_again(
    kaggle: Kaggle, prepare: Prepare, tmp_path: Path, packed: bytes, reason: str
) -> None:
    kaggle.archives[FOURNIERP] = packed
    error = last_error(prepare("dataset=fournierp"))
    assert f"What Kaggle sent for {FOURNIERP} cannot be unpacked safely: " in error and reason in error
    assert not list(tmp_path.rglob("outside.png")) and not list(tmp_path.rglob("*.archive"))
    kaggle.archives[FOURNIERP] = archive(fournierp_files())
    done = prepare("dataset=fournierp")
    assert done.returncode == 0, done.stderr
    assert kaggle.requests.count("GET from 0") == 2


def test_a_zip_with_paths_outside_is_unpacked_inside(kaggle: Kaggle, prepare: Prepare, tmp_path: Path) -> None:
    hostile = {"../../../../../../escaped.png": image_bytes(1), f"{tmp_path}/absolute.png": image_bytes(2)}
    kaggle.archives[FOURNIERP] = archive({**fournierp_files(), **hostile})
    done = prepare("dataset=fournierp")
    assert done.returncode == 0, done.stderr
    found = [*tmp_path.rglob("escaped.png"), *tmp_path.rglob("absolute.png")]
    assert len(found) == 2 and all(tmp_path / "kagglehub" in path.parents for path in found)

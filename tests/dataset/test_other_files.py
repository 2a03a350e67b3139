"""Files among the images, archives of images, and images that would show nothing."""

import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from captcha_exp.config import Config
from captcha_exp.dataset import PreparedDataset, prepare_dataset
from captcha_exp.dataset.decode_images import digest
from captcha_exp.dataset.sources import open_source
from captcha_exp.errors import InputError
from captcha_exp.reader.image import ImageSpec, decode_image
from tests.dataset.conftest import png

Compose = Callable[..., Config]
MakeFolder = Callable[..., Path]
SPEC = ImageSpec(20, 60, False, 255)


def prepared(compose: Compose, path: Path, *overrides: str) -> PreparedDataset:
    config = compose("dataset=folder", f"dataset.path={path}", *overrides)
    return prepare_dataset(config.dataset, config.root_path)


def text_mask(text: str) -> Image.Image:
    mask = Image.new("L", (60, 20), 0)
    ImageDraw.Draw(mask).text((5, 4), text, fill=255)
    return mask


def test_images_are_found_by_their_bytes_and_the_rest_is_named(compose: Compose, make_folder: MakeFolder) -> None:
    folder = make_folder(["12", "13"])
    for name in ("14.jfif", "15", "16.bin", "1.5", "17.avif"):
        (folder / name).write_bytes(png(len(name)))
    (folder / "a.svg").write_text("<svg/>")
    (folder / "labels.csv").write_text("x")
    (folder / "README").write_text("none")
    config = compose("dataset=folder", f"dataset.path={folder}", "dataset.label_pattern='(?P<label>.+)'")
    source = open_source(config.dataset, config.root_path / "cache")
    assert {sample.label for sample in source.samples} == {"12", "13", "14", "15", "16", "1.5", "17"}
    assert [(file.name, file.reason) for file in source.skipped] == [
        ("a.svg", "a format that is not read (.svg); save it as PNG")
    ]
    assert len(source.notes) == 1 and "2 files (" in source.notes[0] and "labels.csv" in source.notes[0]


def test_texts_beside_the_images_are_their_labels(compose: Compose, make_folder: MakeFolder) -> None:
    folder = make_folder([f"{number:04d}" for number in range(10)])
    for number in range(10):
        (folder / f"{number:04d}.gt.txt").write_text(f"é{number}\n", encoding="utf-8")
    config = compose("dataset=folder", f"dataset.path={folder}")
    source = open_source(config.dataset, config.root_path / "cache")
    assert [sample.label for sample in source.samples] == [f"é{number}" for number in range(10)]
    assert "`dataset.label_from=name`" in source.notes[0]
    (folder / "0003.gt.txt").write_text("two\nlines")
    (folder / "0004.gt.txt").unlink()
    source = open_source(config.dataset, config.root_path / "cache")
    assert [file.reason.split(" (")[0] for file in source.skipped] == [
        "its .gt.txt has 2 lines of text instead of one",
        "it has no .gt.txt beside it that can be read",
    ]


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz"])
def test_an_archive_is_unpacked_once(
    compose: Compose, make_folder: MakeFolder, labels: list[str], told: list[str], suffix: str
) -> None:
    folder = make_folder(labels)
    archive = folder.parent / f"set{suffix}"
    if suffix == ".zip":
        with zipfile.ZipFile(archive, "w") as packed:
            for path in folder.iterdir():
                packed.write(path, f"samples/{path.name}")
    else:
        with tarfile.open(archive, "w:gz") as packed:
            packed.add(folder, "samples")
    from_folder, dataset = prepared(compose, folder), prepared(compose, archive)
    assert dataset.fingerprint == from_folder.fingerprint
    assert dataset.source_uri == str(archive)
    prepared(compose, archive)
    assert sum("unpacking" in line for line in told) == 1


def test_a_table_in_an_archive_is_read(compose: Compose, make_folder: MakeFolder, labels: list[str]) -> None:
    folder = make_folder(labels)
    with zipfile.ZipFile(folder.parent / "set.zip", "w") as packed:
        for path in folder.iterdir():
            packed.write(path, f"images/{path.name}")
        packed.writestr("labels.csv", "file,label\n" + "".join(f"{label}.png,x{label}\n" for label in labels))
    config = compose("dataset=manifest", f"dataset.path={folder.parent}/set.zip")
    source = open_source(config.dataset, config.root_path / "cache")
    assert {sample.label for sample in source.samples} == {f"x{label}" for label in labels}


def test_an_archive_that_leads_out_or_is_damaged_is_refused(compose: Compose, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "out.tar", "w") as packed:
        member = tarfile.TarInfo("../out.png")
        member.size = len(png(1))
        packed.addfile(member, io.BytesIO(png(1)))
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 no zip")
    for name in ("out.tar", "broken.zip"):
        with pytest.raises(InputError, match=r"cannot be unpacked safely: .*Unpack it yourself and give the folder\."):
            prepared(compose, tmp_path / name)
    assert not (tmp_path / "out.png").exists() and not list((tmp_path / "cache" / "unpacked").glob("*"))


def write_white_on_nothing(folder: Path) -> None:
    """Twenty images of white text whose background is transparent."""
    folder.mkdir()
    for number in range(20):
        image = Image.new("RGBA", (60, 20), (255, 255, 255, 0))
        image.putalpha(text_mask(f"{number:02d}"))
        image.save(folder / f"{number:02d}.png")


def test_white_text_on_nothing_is_put_on_black(compose: Compose, tmp_path: Path, told: list[str]) -> None:
    write_white_on_nothing(tmp_path / "images")
    dataset = prepared(compose, tmp_path / "images")
    assert len({image.tobytes() for split in dataset.splits for image in split.images}) == 20
    assert any("20 images show nothing on dataset.background=255; they were put on 0" in line for line in told)
    on_grey = prepared(compose, tmp_path / "images", "dataset.background=100")
    assert int(np.asarray(on_grey.train.images[0]).min()) == 100  # there it is visible, so nothing is changed


def animation(frames: list[Image.Image], kind: str = "GIF") -> bytes:
    data = io.BytesIO()
    frames[0].save(data, kind, save_all=True, append_images=frames[1:], duration=80)
    return data.getvalue()


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_of_an_animation_with_an_empty_first_frame_the_fullest_is_read(kind: str) -> None:
    empty = Image.new("L", (60, 20), 255)
    shown = [Image.eval(text_mask(text), lambda level: 255 - level) for text in ("1", "12", "1234", "1")]
    seen = decode_image(animation([empty, *shown], kind), SPEC)
    assert np.abs(seen.astype(int) - np.asarray(shown[2]).astype(int)).mean() < 8
    first = decode_image(animation([shown[0], shown[2]], kind), SPEC)
    assert np.abs(first.astype(int) - np.asarray(shown[0]).astype(int)).mean() < 8


def test_equal_images_are_told_and_not_divided(compose: Compose, make_folder: MakeFolder) -> None:
    folder = make_folder([])
    for number in range(20):
        (folder / f"{number:02d}.png").write_bytes(png(1))
    with pytest.raises(InputError, match="All 20 images have equal pixels at this size"):
        prepared(compose, folder)


def test_a_cache_of_unread_blanks_is_made_again(compose: Compose, tmp_path: Path) -> None:
    """Earlier versions kept 20 white images, and files that have not changed have the same key."""
    write_white_on_nothing(tmp_path / "images")
    first = prepared(compose, tmp_path / "images")
    meta = json.loads((first.cache_dir / "meta.json").read_text())
    del meta["unusual"]
    meta["pixels"] = [0] * 20
    (first.cache_dir / "meta.json").write_text(json.dumps(meta))
    images = (first.cache_dir / "images.bin").read_bytes()
    (first.cache_dir / "images.bin").write_bytes(b"\xff" * len(images))
    (key,) = (path for path in (first.cache_dir.parent / "keys").iterdir() if not path.suffix)
    key.write_text(first.cache_dir.rename(first.cache_dir.with_name("earlier")).name)
    again = prepared(compose, tmp_path / "images")
    assert len({image.tobytes() for split in again.splits for image in split.images}) == 20


def test_the_fingerprint_and_the_key_of_an_ordinary_folder_stay(
    compose: Compose, make_folder: MakeFolder, labels: list[str]
) -> None:
    """Every cache, and every model's knowledge of its dataset, hangs on them."""
    folder = make_folder(labels)
    dataset = prepared(compose, folder)
    contents = [
        hashlib.sha256(f"{path.stem}\0".encode() + bytes.fromhex(digest(path.read_bytes()))).digest()
        for path in folder.iterdir()
    ]
    assert dataset.fingerprint == hashlib.sha256(b"".join(sorted(contents))).hexdigest()[:32]
    samples = []
    for label in sorted(labels):
        path = folder / f"{label}.png"
        status = path.stat()
        samples += [path.name, label, "folder", str(path), f"{status.st_size} {status.st_mtime_ns}"]
    spec = {"height": 50, "width": 200, "keep_aspect_ratio": False, "background": 255}
    from PIL import __version__

    text = "\0".join([json.dumps([2, __version__, spec]), *samples])
    key = hashlib.sha256(text.encode()).hexdigest()[:32]
    assert (dataset.cache_dir.parent / "keys" / key).is_file()
    assert "unusual" not in json.loads((dataset.cache_dir / "meta.json").read_text())

"""Whatever bytes a file has, it becomes an image or is refused by a reason; a table likewise."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from captcha_exp.config import ManifestConfig
from captcha_exp.dataset.label_text import with_plain_labels
from captcha_exp.dataset.manifest import open_manifest
from captcha_exp.errors import InputError
from captcha_exp.reader.image import ImageSpec, decode_image
from captcha_exp.reader.image_formats import BadImageError

# The same examples at every run: a failure here is one of the change at hand.
FUZZ = settings(
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SPEC = ImageSpec(height=8, width=16, keep_aspect_ratio=True, background=255)


def encoded(image_format: str, mode: str = "L", **options: object) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (12, 24), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, image_format, **options)
    return buffer.getvalue()


def exif() -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = 6
    return tags


VALID = {
    "png": encoded("PNG"),
    "png-palette": encoded("PNG", "P", transparency=3, icc_profile=bytes(40), exif=exif()),
    "png-interlaced-rgba": encoded("PNG", "RGBA"),
    "apng": encoded("PNG", save_all=True, append_images=[Image.new("L", (24, 12), 9)]),
    "jpeg": encoded("JPEG", "RGB", exif=exif()),
    "jpeg-progressive-cmyk": encoded("JPEG", "CMYK", progressive=True),
    "gif": encoded("GIF", "P", save_all=True, append_images=[Image.new("P", (24, 12), 9)], transparency=1),
    "bmp": encoded("BMP", "RGB"),
    "webp": encoded("WEBP", "RGBA"),
    "webp-lossless-exif": encoded("WEBP", "RGB", lossless=True, exif=exif()),
    "tiff-lzw": encoded("TIFF", "RGB", compression="tiff_lzw"),
    "tiff-group4": encoded("TIFF", "1", compression="group4"),
    "tiff-16": encoded("TIFF", "I;16"),
    "ppm": encoded("PPM", "RGB"),
}


@st.composite
def damaged(draw: st.DrawFn, data: bytes) -> bytes:
    """A valid file with some bytes replaced, a part taken out, put in or repeated, or its end cut off."""
    damage = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(len(damage) - 1, 0)))
        piece = draw(st.binary(min_size=1, max_size=8))
        kind = draw(st.sampled_from(["replace", "insert", "remove", "repeat", "cut"]))
        if kind == "replace":
            damage[place : place + len(piece)] = piece
        elif kind == "insert":
            damage[place:place] = piece
        elif kind == "remove":
            del damage[place : place + draw(st.integers(1, 64))]
        elif kind == "repeat":
            damage[place:place] = damage[place : place + 64] * draw(st.integers(1, 20))
        else:
            del damage[place:]
    return bytes(damage)


def check(data: bytes) -> None:
    try:
        image = decode_image(data, SPEC)
    except BadImageError as error:
        assert str(error) and "\n" not in str(error)
    else:
        assert image.shape == (SPEC.height, SPEC.width) and image.dtype == np.uint8


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("name", VALID)
def test_a_damaged_image_is_refused_or_becomes_an_image(name: str) -> None:
    check(VALID[name])
    settings(FUZZ, max_examples=200)(given(damaged(VALID[name]))(check))()


@settings(FUZZ, max_examples=100)
@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_become_an_image(data: bytes) -> None:
    check(data)


def plain_config(file: Path) -> ManifestConfig:
    columns = {"file_column": "file", "label_column": "label", "split_column": "split", "given_splits": False}
    found_out = {"image_root": None, "delimiter": None, "encoding": None, "header": None}
    return ManifestConfig.model_construct(path=os.fspath(file), **columns, **found_out)


def check_table(table: Path, suffix: str, content: bytes) -> None:
    file = table / f"labels{suffix}"
    file.write_bytes(content)
    try:
        source = with_plain_labels(open_manifest(plain_config(file), table / "cache"))
    except InputError as error:
        assert len(str(error)) < 3000 and "\n" not in str(error)
        return
    assert source.samples or source.skipped
    for sample in source.samples:
        assert sample.label.isprintable() and sample.name.isprintable() and len(sample.label) <= 256
        assert Path(sample.locator).resolve().is_relative_to(table)
    assert all(entry.name.isprintable() and entry.reason for entry in source.skipped)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    for name in ("a.png", "sub/b.png"):
        (tmp_path / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "images" / name).write_bytes(VALID["png"])
    (tmp_path / "images" / "out.png").symlink_to(tmp_path)
    return (tmp_path / "images").resolve()


@settings(FUZZ, max_examples=150)
@given(st.sampled_from([".csv", ".tsv", ".txt", ".json", ".jsonl"]), st.binary(max_size=300))
def test_any_bytes_after_a_header_are_refused_or_rows(images: Path, suffix: str, content: bytes) -> None:
    header = {".csv": b"file,label\n", ".tsv": b"file\tlabel\n"}.get(suffix, b"")
    check_table(images, suffix, content)
    check_table(images, suffix, header + content)


CELLS = st.one_of(
    st.sampled_from(["a.png", "sub/b.png", "../a.png", "/etc/passwd", "out.png", "sub/../../x", "=1+1", "", "~"]),
    st.text(max_size=20),
)


@settings(FUZZ, max_examples=150)
@given(st.lists(st.lists(CELLS, max_size=4), max_size=6), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
def test_any_rows_are_refused_or_read(images: Path, rows: list[list[str]], end: str, quoted: bool) -> None:
    lines = [["file", "label"], *rows]
    if quoted:
        lines = [[f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row] for row in lines]
    content = end.join(",".join(row) for row in lines)
    check_table(images, ".csv", content.encode("utf-8", "surrogatepass"))

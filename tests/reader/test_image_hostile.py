"""Image files that were made to exhaust memory or time."""

import io
import os
import re
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from PIL import Image

from captcha_exp.reader.image import ImageSpec, decode_image
from captcha_exp.reader.image_formats import MAX_JPEG_SCANS, BadImageError

SPEC = ImageSpec(height=8, width=16, keep_aspect_ratio=False, background=255)
SIDE = 13_000
# A quarter of a gigabyte above what the imports take: none of the bombs' canvases fits.
DECODE = """
import resource, sys
from pathlib import Path
from captcha_exp.reader.image import ImageSpec, decode_image
from captcha_exp.reader.image_formats import BadImageError
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**28, used + 2**28))
for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        print(path.name, decode_image(path.read_bytes(), ImageSpec(8, 16, False, 255)).shape)
    except BadImageError as error:
        print(path.name, error)
"""


def encoded(image: Image.Image, image_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_with(chunk: bytes, before_pixels: bool = True) -> bytes:
    png = encoded(Image.new("L", (16, 8), 7), "PNG")
    place = 33 if before_pixels else len(png) - 12
    return png[:place] + chunk + png[place:]


def gif_with_larger_frame() -> bytes:
    gif = bytearray(encoded(Image.new("L", (16, 8)), "GIF"))
    frame = gif.index(b",\0\0\0\0")
    gif[frame + 5 : frame + 9] = struct.pack("<HH", 60_000, 60_000)
    return bytes(gif)


def tiff(*tags: tuple[int, int, int, int]) -> bytes:
    """A grey 16x8 LZW TIFF with these tags beside the necessary ones."""
    entries = sorted([(256, 4, 1, 16), (257, 4, 1, 8), (258, 3, 1, 8), (259, 3, 1, 5), (262, 3, 1, 1), *tags])
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<I", 8) + directory + bytes(68)


def bombs() -> dict[str, tuple[bytes, str]]:
    """File and expected reason, by name."""
    grey = Image.new("L", (SIDE, SIDE))
    inflated = zlib.compress(bytes(200_000_000), 9)
    side = (SIDE - 1).to_bytes(3, "little")
    text = "Decompressed data too large"
    return {
        "png": (encoded(grey, "PNG"), f"{SIDE}x{SIDE} is more than"),
        "gif": (encoded(grey, "GIF"), f"{SIDE}x{SIDE} is more than"),
        "tiff": (encoded(grey, "TIFF", compression="tiff_adobe_deflate"), f"{SIDE}x{SIDE} is more than"),
        "webp": (encoded(Image.new("L", (6000, 6000)), "WEBP", lossless=True, method=0), "not readable"),
        "webp-header": (b"RIFF\x6c\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + side + side + bytes(90), "not readable"),
        "gif-frame": (gif_with_larger_frame(), "more than"),
        "png-ztxt": (png_with(png_chunk(b"zTXt", b"k\0\0" + inflated)), text),
        "png-itxt": (png_with(png_chunk(b"iTXt", b"k\0\1\0\0\0" + inflated)), text),
        "png-iccp": (png_with(png_chunk(b"iCCP", b"k\0\0" + inflated)), text),
        "png-late-ztxt": (png_with(png_chunk(b"zTXt", b"k\0\0" + inflated), before_pixels=False), text),
        "png-many-ztxt": (
            png_with(png_chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(10**6))) * 100),
            "Too much memory used in text chunks",
        ),
        "tiff-tile": (tiff((322, 4, 1, 65520), (323, 4, 1, 65520), (324, 4, 1, 64), (325, 4, 1, 64)), "not readable"),
        "tiff-strip": (tiff((273, 4, 1, 64), (278, 4, 1, 4 * 10**9), (279, 4, 1, 64)), "not readable"),
        "tiff-strips": (tiff((273, 4, 10**9, 64), (278, 4, 1, 1), (279, 4, 10**9, 64)), "not readable"),
        "ppm": (b"P5\n4000 4000\n255\n" + bytes(100), "truncated"),
    }


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_bombs_are_refused_in_little_memory_and_time(tmp_path: Path) -> None:
    expected = bombs()
    for name, (data, _) in expected.items():
        assert len(data) < 600_000, name
        (tmp_path / name).write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-c", DECODE, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-500:]
    answers = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert answers.keys() == expected.keys()
    for name, (_, reason) in expected.items():
        assert reason in answers[name] and not answers[name].startswith("("), (name, answers[name])


def test_a_jpeg_of_endlessly_many_scans_is_refused() -> None:
    jpeg = encoded(Image.new("L", (1024, 1024)), "JPEG", progressive=True)
    scans = [match.start() for match in re.finditer(b"\xff\xda", jpeg)]
    assert 3 < len(scans) < 20
    last = jpeg[scans[-1] : -2]

    def with_scans(count: int) -> bytes:
        return jpeg[:-2] + last * (count - len(scans)) + jpeg[-2:]

    assert decode_image(with_scans(MAX_JPEG_SCANS), SPEC).shape == (8, 16)
    with pytest.raises(BadImageError, match=rf"a JPEG of more than {MAX_JPEG_SCANS} scans"):
        decode_image(with_scans(50_000), SPEC)

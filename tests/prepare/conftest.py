"""A small dataset with everything in it that an audit looks for."""

import io
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

SIZE = (120, 40)
MARKUP = "<img src=x onerror=alert(1)>"


def drawn(text: str, seed: int = 0) -> Image.Image:
    """A picture of a text, with lines that depend on the text and the seed."""
    rng = random.Random(f"{seed}:{text}")
    image = Image.new("RGB", SIZE, "white")
    pen = ImageDraw.Draw(image)
    for _ in range(6):
        ends = [(rng.randrange(SIZE[0]), rng.randrange(SIZE[1])) for _ in range(2)]
        pen.line([*ends[0], *ends[1]], fill=(rng.randrange(200), rng.randrange(200), rng.randrange(200)), width=2)
    pen.text((rng.randrange(5, 20), rng.randrange(2, 10)), text, fill="black", font=ImageFont.load_default(24))
    return image


def encoded(image: Image.Image, kind: str = "PNG", **options: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def write_sound(folder: Path) -> None:
    """Sixty images without fault, all of other labels."""
    folder.mkdir(parents=True)
    rng = random.Random(0)
    labels = sorted({"".join(rng.choices("abcde", k=4)) for _ in range(90)} - {"abcd"})[:60]
    for label in labels:
        (folder / f"{label}.png").write_bytes(encoded(drawn(label)))


def write_dirty(folder: Path) -> None:
    """Sixty sound images, and one or two of everything that is wrong."""
    write_sound(folder)
    clear = drawn("dddd").convert("RGBA")
    clear.putalpha(Image.new("L", SIZE, 128))
    deep = np.asarray(drawn("ecec").convert("L")).astype(np.uint16) * 200
    files = {
        "wrong_aacc1.png": encoded(drawn("aacc1"), "JPEG"),
        "zero_ab.png": b"",
        "short_abc.png": encoded(drawn("abc"))[:300],
        "tail_eeab1.jpg": encoded(drawn("eeab1"), "JPEG", quality=95)[:-2],
        "tail_eebb1.png": encoded(drawn("eebb1"))[:-12],
        "text_abe.png": b"this is no image at all",
        "palette_dcba1.png": encoded(drawn("dcba1").convert("P")),
        "alpha_dddd1.png": encoded(clear),
        "deep_ecec1.png": encoded(Image.fromarray(deep)),
        # One file twice, one picture in two formats, one picture under two labels, one picture of lower quality.
        "twice1_bbaa1.png": encoded(drawn("bbaa", 7)),
        "twice2_bbaa1.png": encoded(drawn("bbaa", 7)),
        "other1_ccaa1.png": encoded(drawn("ccaa", 7)),
        "other2_ccaa1.bmp": encoded(drawn("ccaa", 7), "BMP"),
        "two1_ddaa1.png": encoded(drawn("ddaa", 7)),
        "two2_ddab1.png": encoded(drawn("ddaa", 7)),
        "near1_eeaa1.png": encoded(drawn("eeaa", 7)),
        "near2_eeaa1.jpg": encoded(drawn("eeaa", 7), "JPEG", quality=60),
        "case1_cAce.png": encoded(drawn("cAce")),
        "case2_Cace.png": encoded(drawn("Cace")),
        f"markup1_{MARKUP}.png": encoded(drawn("<img>")),
        f"markup2_{MARKUP}.png": encoded(drawn("<img>")),
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)


@pytest.fixture(scope="session")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dirty") / "captchas"
    write_dirty(folder)
    return folder

"""What is believed of an interrupted preparation."""

import os
from pathlib import Path

import pytest

from captcha_exp.dataset.decode_images import Outcome, digest
from captcha_exp.dataset.journal import Journal


@pytest.mark.parametrize(
    ("damage", "believed"), [("nothing", 8), ("line cut", 4), ("no line end", 4), ("image zeroed", 4), ("no images", 0)]
)
def test_a_journal_is_believed_as_far_as_its_images_are_there(tmp_path: Path, damage: str, believed: int) -> None:
    pixels = [bytes([index + 1]) * 6 for index in range(8)]
    images, lines = tmp_path / "images.bin", tmp_path / "lines.journal"
    images.write_bytes(b"".join(pixels))
    outcomes: list[Outcome] = [("content", digest(image)) for image in pixels]
    outcomes[6] = "the file is empty"
    journal = Journal(lines, images, 6)
    assert len(list(journal.write(iter([outcomes[:4], outcomes[4:]])))) == 2
    if damage == "line cut":
        os.truncate(lines, lines.stat().st_size - 30)
    elif damage == "no line end":
        os.truncate(lines, lines.stat().st_size - 1)
    elif damage == "image zeroed":
        images.write_bytes(b"".join(pixels[:5]) + bytes(18))
    elif damage == "no images":
        images.unlink()
    assert journal.recovered() == outcomes[:believed]
    list(journal.write(iter([["gone"]])))
    assert journal.recovered() == ([*outcomes[:believed], "gone"] if believed else [])

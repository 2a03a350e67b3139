"""Fixtures for datasets that the tests make themselves."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


def png(seed: int, size: tuple[int, int] = (40, 16)) -> bytes:
    """A PNG whose pixels depend on `seed` alone."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0]), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def make_folder(tmp_path: Path) -> Callable[..., Path]:
    """Write a folder of images, one for each label, all different."""

    def make(labels: Sequence[str], name: str = "images", suffix: str = ".png") -> Path:
        folder = tmp_path / name
        folder.mkdir(parents=True, exist_ok=True)
        for seed, label in enumerate(labels):
            (folder / f"{label}{suffix}").write_bytes(png(seed))
        return folder

    return make


@pytest.fixture
def labels() -> list[str]:
    """Forty different labels over ten digits."""
    return [f"{(index * 263) % 1000:03d}" for index in range(40)]

"""Decoded images on disk, as an array that reads only the images that are indexed."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np


class MappedImages:
    """Images of a file, uint8 (N, H, W) or (N, H, W, 3), in the order of `rows`. None of them is held in memory.

    Indexing works as for a NumPy array and copies the wanted images. NumPy's functions accept it and read all images.
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, mapped: np.ndarray, rows: np.ndarray) -> None:
        """Take the images of a file, (M, H, W) or (M, H, W, 3), and the rows of the wanted images, int (N,)."""
        self._mapped, self._rows = mapped, rows
        self.shape = (len(rows), *mapped.shape[1:])
        self.ndim = len(self.shape)

    @classmethod
    def open(cls, path: Path, image_shape: tuple[int, ...], rows: np.ndarray) -> "MappedImages":
        """Map the file `path`, whose images all have one shape. The file may be removed afterwards."""
        images = path.stat().st_size // math.prod(image_shape)
        # An empty file cannot be mapped.
        shape = (images, *image_shape)
        return cls(np.memmap(path, np.uint8, "r", shape=shape) if images else np.empty(shape, np.uint8), rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> np.ndarray:
        return np.array(self._mapped[self._rows[index]])

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self._mapped[row] for row in self._rows)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("Images on disk become an array only as a copy.")
        return np.asarray(self[:], dtype)

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process maps the same file. The default would copy all images of the file.
        if not isinstance(self._mapped, np.memmap):
            return MappedImages, (self._mapped, self._rows)
        return MappedImages.open, (Path(str(self._mapped.filename)), self.shape[1:], self._rows)

    def only(self, which: Sequence[int] | np.ndarray) -> "MappedImages":
        """The images at some places, still on disk."""
        return MappedImages(self._mapped, self._rows[np.asarray(which, np.int64)])

    def followed_by(self, others: "MappedImages") -> "MappedImages":
        """These images and then other images of the same file, still on disk."""
        if others._mapped is not self._mapped:
            raise ValueError("Images of two files cannot be joined.")
        return MappedImages(self._mapped, np.concatenate([self._rows, others._rows]))

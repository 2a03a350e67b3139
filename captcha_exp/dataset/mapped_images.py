"""Decoded images on disk, as an array that reads only the images that are indexed."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np


class MappedImages:
    """Images of files, uint8 (N, H, W) or (N, H, W, 3), in the order of `rows`. None of them is held in memory.

    Indexing works as for a NumPy array and copies the wanted images. NumPy's functions accept it and read all images.
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, mapped: Sequence[np.ndarray], rows: np.ndarray) -> None:
        """Take the images of each file, (M, H, W) or (M, H, W, 3), and the rows of the wanted images, int (N,).

        The rows of the first file are followed by those of the second, and so on.
        """
        self._mapped, self._rows = tuple(mapped), rows
        self._starts = np.cumsum([0, *map(len, mapped)])
        self.shape = (len(rows), *mapped[0].shape[1:])
        self.ndim = len(self.shape)

    @classmethod
    def open(cls, path: Path, image_shape: tuple[int, ...], rows: np.ndarray) -> "MappedImages":
        """Map the file `path`, whose images all have one shape. The file may be removed afterwards."""
        return cls([_mapped(path, image_shape)], rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> np.ndarray:
        rows = self._rows[index]
        if len(self._mapped) == 1:
            return np.array(self._mapped[0][rows])
        if np.ndim(rows) == 0:
            return np.array(self._image(rows))
        return np.array([self._image(row) for row in rows], np.uint8).reshape(-1, *self.shape[1:])

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self._image(row) for row in self._rows)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("Images on disk become an array only as a copy.")
        return np.asarray(self[:], dtype)

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process maps the same files. The default would copy all images of the files.
        files = [_place(mapped) for mapped in self._mapped]
        return _opened, (files, self._rows)

    def only(self, which: Sequence[int] | np.ndarray) -> "MappedImages":
        """The images at some places, still on disk."""
        return MappedImages(self._mapped, self._rows[np.asarray(which, np.int64)])

    def followed_by(self, others: "MappedImages") -> "MappedImages":
        """These images and then others of the same shape, still on disk."""
        if len(self._mapped) == len(others._mapped) == 1 and self._mapped[0] is others._mapped[0]:
            # Several images of one file are read at once.
            return MappedImages(self._mapped, np.concatenate([self._rows, others._rows]))
        rows = np.concatenate([self._rows, others._rows + self._starts[-1]])
        return MappedImages([*self._mapped, *others._mapped], rows)

    def _image(self, row: int) -> np.ndarray:
        if len(self._mapped) == 1:
            return self._mapped[0][row]
        file = int(np.searchsorted(self._starts, row, "right")) - 1
        return self._mapped[file][row - self._starts[file]]


def _mapped(path: Path, image_shape: tuple[int, ...]) -> np.ndarray:
    images = path.stat().st_size // math.prod(image_shape)
    # An empty file cannot be mapped.
    shape = (images, *image_shape)
    return np.memmap(path, np.uint8, "r", shape=shape) if images else np.empty(shape, np.uint8)


# A file and the shape of its images; or the images themselves, if they are in memory.
_Place = tuple[Path, tuple[int, ...]] | np.ndarray


def _place(mapped: np.ndarray) -> _Place:
    return (Path(str(mapped.filename)), mapped.shape[1:]) if isinstance(mapped, np.memmap) else mapped


def _opened(files: Sequence[_Place], rows: np.ndarray) -> MappedImages:
    return MappedImages([file if isinstance(file, np.ndarray) else _mapped(*file) for file in files], rows)

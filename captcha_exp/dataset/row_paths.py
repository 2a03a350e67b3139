"""Finds the files that a table names in other ways than this machine does."""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import unquote

from captcha_exp.dataset.image_files import ImageFolder, is_image_name, stem
from captcha_exp.errors import InputError

# A rule must find at least this share of the files of the first rows.
_ENOUGH = 0.9
_MOST_INDEXED = 500_000
_MOST_FOLDERS = 2_000
# Where docTR and others keep the images of a table beside it.
_USUAL = "images"
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://[^/]*/|/data/(?=upload/|local-files/)")
# Label Studio's address of a file of its machine, and what it puts before the name of an uploaded file.
_LOCAL_FILE = re.compile(r".*local-files/\?d=")
_UPLOAD_MARK = re.compile(r"[0-9a-f]{8}-(?=.)")

Renamed = Callable[[str], str]


class RowPaths:
    """The files of one image folder, by what the rows of a table call them.

    The rules, in order: the name as it is; with `/` for the backslashes of Windows, and the path of a web address;
    without the mark that Label Studio puts before the names of uploads; without a suffix, the one file of this stem.
    Where none of them finds a file, the last parts of all names are looked for in one folder below.
    """

    def __init__(self, images: ImageFolder) -> None:
        self.root = images.root
        self.notes: list[str] = []
        self._stems: dict[str, dict[str, list[str]]] = {}
        self._below: tuple[str, int] | None = None
        self._known: set[str] | None = None

    def is_named(self, cell: str) -> bool:
        """Whether a cell looks like the name of one of the files."""
        if not cell or len(cell) > 1000 or "\0" in cell:
            return False
        last = _last(_slashed(cell))
        return self._exists(self.name_of(cell)) or not {last, _unmarked(last)}.isdisjoint(self._index())

    def name_of(self, cell: str) -> str:
        """The name below the folder of the file that a cell means; the cell itself if there is no such file."""
        if self._exists(cell):
            return cell
        slashed = _slashed(cell)
        if self._below is not None:
            folder, parts = self._below
            slashed = os.path.join(folder, *slashed.split("/")[-parts:])
        return self._found(slashed) or cell

    def settle(self, cells: Sequence[str], how_to_say: str) -> None:
        """Look at the files of the first rows, and choose the folder where their names are found.

        Args:
            cells: names of the first rows.
            how_to_say: the key that a user can set instead.

        Raises:
            InputError: several folders have files of these names.
        """
        if not cells or any(self._exists(self.name_of(cell)) for cell in cells):
            return
        slashed = [_slashed(cell) for cell in cells]
        for parts in range(max(name.count("/") + 1 for name in slashed), 0, -1):
            fitting = [folder for folder in self._folders() if self._fits(folder, parts, slashed)]
            if _USUAL in fitting:
                fitting = [_USUAL]
            if len(fitting) > 1:
                named = ", ".join(os.path.join(self.root, folder) for folder in fitting[:3])
                raise InputError(f"The files of the table are in several folders: {named}; set {how_to_say}.")
            if fitting:
                self._below = (fitting[0], parts)
                where = os.path.join(self.root, fitting[0]).rstrip("/")
                self.notes.append(
                    f"no file lies at {cells[0]}; the rows are matched by the last {_parts(parts)} of their paths in "
                    f"{where} (set {how_to_say} to say where they are)"
                )
                return

    def _fits(self, folder: str, parts: int, names: Sequence[str]) -> bool:
        tails = [os.path.join(folder, *name.split("/")[-parts:]) for name in names]
        return sum(self._found(tail) is not None for tail in tails) >= _ENOUGH * len(names)

    def _found(self, name: str) -> str | None:
        """The name of a file that exists, by the rules for a single name."""
        for one in dict.fromkeys((name, _unmarked(name))):
            if self._exists(one):
                return one
        return self._with_suffix(name)

    def _exists(self, name: str) -> bool:
        try:
            return os.path.lexists(os.path.join(self.root, name))
        except ValueError:
            return False

    def _with_suffix(self, name: str) -> str | None:
        """The one image whose name is this one and a suffix."""
        folder, _, last = name.rpartition("/")
        if is_image_name(last) or not last:
            return None
        if folder not in self._stems:
            self._stems[folder] = {}
            for file in _images_in(os.path.join(self.root, folder)):
                self._stems[folder].setdefault(stem(file), []).append(file)
        found = self._stems[folder].get(last, [])
        return os.path.join(folder, found[0]) if len(found) == 1 else None

    def _folders(self) -> Iterator[str]:
        for number, (folder, folders, _) in enumerate(os.walk(self.root)):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            yield "" if folder == self.root else os.path.relpath(folder, self.root)
            if number >= _MOST_FOLDERS:
                return

    def _index(self) -> set[str]:
        """Names and stems of the images in the folder and below."""
        if self._known is None:
            self._known = set()
            for folder in self._folders():
                for file in _images_in(os.path.join(self.root, folder)):
                    self._known |= {file, stem(file)}
                if len(self._known) > _MOST_INDEXED:
                    break
        return self._known


def _slashed(cell: str) -> str:
    """A path of Windows as one of this system, `C:\\a\\b.png` as `C:/a/b.png`; of a web address its path."""
    path = cell.replace("\\", "/")
    address = _ADDRESS.match(path)
    if address is None:
        return path
    local = _LOCAL_FILE.match(path)
    return unquote(path[local.end() :] if local else path[address.end() :].partition("?")[0])


def _unmarked(name: str) -> str:
    """A name without the mark of an upload: `1a2b3c4d-x.png` becomes `x.png`."""
    folder, slash, last = name.rpartition("/")
    return f"{folder}{slash}{_UPLOAD_MARK.sub('', last, count=1)}" if _UPLOAD_MARK.match(last) else name


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _images_in(folder: str) -> list[str]:
    try:
        return [name for name in os.listdir(folder) if is_image_name(name)]
    except OSError:
        return []


def _parts(count: int) -> str:
    return "part" if count == 1 else f"{count} parts"

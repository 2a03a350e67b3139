"""Files among the images whose names do not say that they are images."""

import os
from collections import Counter

from captcha_exp.dataset.samples import shown
from captcha_exp.reader.image_formats import OTHER_SUFFIXES

# Files of these suffixes are never opened to look for an image in them.
_NO_IMAGES = frozenset(
    {
        *("txt", "csv", "tsv", "json", "jsonl", "xml", "html", "md", "yaml", "yml", "toml", "ini", "log", "py"),
        *("ipynb", "zip", "tar", "gz", "npy", "npz", "pkl", "h5", "keras", "onnx", "pdf", "mp4", "webm", "mov"),
        *("wav", "mp3", "db"),
    }
)
# A file of this suffix beside an image holds its label.
LABEL_SUFFIX = ".gt.txt"
_NAMED = 3
_LONGEST_MARK = 12


class OtherFiles:
    """Sorts files without the suffix of an image, and counts those that are none."""

    def __init__(self) -> None:
        self.label_files = 0
        self._folders: list[str] = []
        self._suffixes: Counter[str] = Counter()
        self._names: list[str] = []

    def problem(self, entry: "os.DirEntry[str]", path: str) -> str | None:
        """Why a file cannot be used: empty if it is an image by its first bytes, None if it is no picture at all."""
        suffix = entry.name.rpartition(".")[2].lower() if "." in entry.name else ""
        try:
            if entry.is_dir(follow_symlinks=False):
                self._folders.append(shown(entry.name))
            if not entry.is_file(follow_symlinks=False):
                return None
            if suffix not in _NO_IMAGES and _is_image(path):
                return ""
        except OSError:
            pass  # it is counted, as what it is cannot be found out
        if suffix in OTHER_SUFFIXES:
            return f"a format that is not read (.{suffix}); save it as PNG"
        if entry.name.endswith(LABEL_SUFFIX):
            self.label_files += 1
            return None
        self._suffixes[f".{suffix}" if suffix else "without suffix"] += 1
        if len(self._names) < _NAMED:
            self._names.append(shown(entry.name))
        return None

    def notes(self) -> list[str]:
        """Lines that count what was left out."""
        notes = []
        if self._suffixes:
            kinds = ", ".join(f"{count} {suffix}" for suffix, count in self._suffixes.most_common(5))
            named = ", ".join(self._names)
            count = sum(self._suffixes.values())
            notes.append(f"left out, because they are no images: {count} files ({kinds}), such as {named}")
        if self._folders:
            named = ", ".join(sorted(self._folders)[:_NAMED])
            notes.append(
                f"left out: {len(self._folders)} folders inside, such as {named}; `dataset.recursive=true` reads them"
            )
        return notes


def _is_image(path: str) -> bool:
    with open(path, "rb") as file:
        start = file.read(_LONGEST_MARK)
    if start[:4] == b"RIFF":
        return start[8:12] == b"WEBP"
    if start[4:8] == b"ftyp":
        return start[8:12] in {b"avif", b"avis"}
    if start[:2] == b"BM":
        return start[6:10] == bytes(4)
    return start.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*"))

"""The cache of decoded images: a quick key finds it, one process builds it, and one step publishes it."""

import hashlib
import json
import math
import os
import shutil
from collections import Counter
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import PIL

from captcha_exp.child_processes import in_chunks
from captcha_exp.dataset.cached_samples import IMAGES, Cached
from captcha_exp.dataset.decode_images import Decoder, Outcome, create_output
from captcha_exp.dataset.progress import Progress
from captcha_exp.dataset.samples import SkippedFile, Source
from captcha_exp.files import replacing
from captcha_exp.lock import locked
from captcha_exp.reader.image import ImageSpec

# Raise this number with every change that makes older caches wrong.
_FORMAT = 2
_META = "meta.json"


def load_or_build(source: Source, spec: ImageSpec, root: Path) -> Cached:
    """Return the cache of a source. If there is none, build it, in one process at a time.

    Names, labels, sizes and modification times alone decide whether a cache fits. If a build is killed, the next one
    does not take its remains for a complete cache.

    Args:
        source: the samples to decode.
        spec: size and form of the decoded images.
        root: folder of all caches.
    """
    key = _key(source, spec)
    keys = root / "keys"
    cached = _load(keys / key, root, source, spec)
    if cached is not None:
        return cached
    with locked(keys / f"{key}.lock", "another process that prepares the same dataset"):
        cached = _load(keys / key, root, source, spec)
        if cached is None:
            partial = keys / f"{key}.partial"
            try:
                folder = _build(source, spec, keys / key, partial, root)
            except BaseException:
                shutil.rmtree(partial, ignore_errors=True)  # it is useless, and it may be what fills the disk
                raise
            cached = _load_folder(folder, source, spec)
    if cached is None:
        raise OSError(None, "the cache was removed while it was made", str(root))
    return cached


def _build(source: Source, spec: ImageSpec, key_file: Path, partial: Path, root: Path) -> Path:
    """Decode a source's images, publish them, and return their folder."""
    outcomes = _decoded(source, spec, partial)
    meta = _meta(source, outcomes, spec)
    text = json.dumps(meta).encode()
    # The folder's name identifies its content.
    folder = root / f"{meta['fingerprint'][:16]}-{hashlib.sha256(text).hexdigest()[:8]}"
    # The key file is written first: without it, nobody would find the folder, and it would waste disk space.
    with replacing(key_file) as file:
        file.write(folder.name.encode())
    _publish(text, partial, folder, spec)
    return folder


def _key(source: Source, spec: ImageSpec) -> str:
    # Names have no NUL, so two different lists of samples never give the same text.
    text = "\0".join(chain([_identity(spec)], chain.from_iterable(source.samples)))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _identity(spec: ImageSpec) -> str:
    return json.dumps([_FORMAT, PIL.__version__, spec.to_dict()])


def _decoded(source: Source, spec: ImageSpec, partial: Path) -> list[Outcome]:
    """Decode the images of `source` into the folder `partial`, and return the outcome of each sample."""
    images, total = partial / IMAGES, len(source.samples)
    shutil.rmtree(partial, ignore_errors=True)  # the remains of a killed preparation
    partial.mkdir()
    create_output(images, total, spec)
    outcomes: list[Outcome] = []
    decoder = Decoder(source.load, spec, str(images))
    with Progress(total) as progress:
        for chunk in in_chunks(decoder, [sample.locator for sample in source.samples]):
            outcomes += chunk
            progress.update(len(outcomes))
    return outcomes


def _meta(source: Source, outcomes: Sequence[Outcome], spec: ImageSpec) -> dict[str, Any]:
    rows, pixels, contents, skipped = [], [], [], []
    first_with: dict[str, int] = {}
    unusual: Counter[str] = Counter()
    for row, (sample, outcome) in enumerate(zip(source.samples, outcomes, strict=True)):
        if isinstance(outcome, str):
            skipped.append((row, outcome))
            continue
        content, pixel, remark = outcome
        if remark:
            unusual[remark] += 1
        rows.append(row)
        pixels.append(first_with.setdefault(pixel, row))
        label = sample.label.encode("utf-8", "surrogateescape")
        contents.append(hashlib.sha256(label + b"\0" + bytes.fromhex(content)).digest())
    return {
        "identity": _identity(spec),
        # Sorted, because the same images in another folder, or with other names, are the same dataset.
        "fingerprint": hashlib.sha256(b"".join(sorted(contents))).hexdigest()[:32],
        "order": hashlib.sha256(b"".join(contents)).hexdigest()[:32],
        "rows": rows,
        "pixels": pixels,
        "skipped": skipped,
        **({"unusual": dict(unusual)} if unusual else {}),
    }


def _publish(text: bytes, partial: Path, folder: Path, spec: ImageSpec) -> None:
    """Move the finished folder to its final name, in one step."""
    with replacing(partial / _META) as file:
        file.write(text)
    with (partial / IMAGES).open("rb") as images:
        os.fsync(images.fileno())
    if folder.exists() and _read_meta(folder, spec) is None:
        shutil.rmtree(folder)  # it was damaged after it was published
    try:
        partial.rename(folder)
    except OSError:
        # The same content may exist under another key, because the files were only touched or copied.
        if _read_meta(folder, spec) is None:
            raise
        shutil.rmtree(partial)


def _load(key_file: Path, root: Path, source: Source, spec: ImageSpec) -> Cached | None:
    try:
        name = key_file.read_text()
    except FileNotFoundError:
        return None
    return _load_folder(root / name, source, spec)


def _load_folder(folder: Path, source: Source, spec: ImageSpec) -> Cached | None:
    meta = _read_meta(folder, spec)
    if meta is None or len(meta["rows"]) + len(meta["skipped"]) != len(source.samples):
        return None
    rows, pixels = (np.array(meta[key], np.int64) for key in ("rows", "pixels"))
    if "unusual" not in meta and _holds_blanks(folder, spec, pixels):
        return None  # an earlier version did not look for a frame or background that shows something
    samples = source.samples if not meta["skipped"] else [source.samples[row] for row in meta["rows"]]
    skipped = [SkippedFile(source.samples[row].name, reason) for row, reason in meta["skipped"]]
    return Cached(folder, meta["fingerprint"], samples, rows, pixels, skipped, meta.get("unusual", {}))


def _holds_blanks(folder: Path, spec: ImageSpec, pixels: np.ndarray) -> bool:
    """Whether images that equal one another show nothing."""
    values, counts = np.unique(pixels, return_counts=True)
    stored = np.memmap(folder / IMAGES, np.uint8, "r").reshape(-1, math.prod(spec.shape)) if (counts > 1).any() else ()
    return any(np.ptp(stored[row]) == 0 for row in values[counts > 1])


def _read_meta(folder: Path, spec: ImageSpec) -> dict[str, Any] | None:
    """The description of a folder's images, or None if a part of it is missing, cut off or of another kind."""
    try:
        meta: dict[str, Any] = json.loads((folder / _META).read_text())
        image_bytes = (folder / IMAGES).stat().st_size
    except (OSError, ValueError):
        return None
    if meta.get("identity") != _identity(spec):
        return None
    samples = len(meta["rows"]) + len(meta["skipped"])
    return meta if image_bytes == samples * math.prod(spec.shape) else None

"""The cache of decoded images: found by a quick key, built once, published whole."""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import PIL

from captcha_exp.dataset.cached import IMAGES, Cached, replacing
from captcha_exp.dataset.decode import Decoded, Job, create_output, decode_all
from captcha_exp.dataset.samples import Report, SkippedFile, Source
from captcha_exp.image import ImageSpec
from captcha_exp.lock import locked

# Raise it with every change that makes older caches wrong.
_FORMAT = 1
_PROGRESS_EVERY_S = 5.0
_META = "meta.json"


def load_or_build(source: Source, spec: ImageSpec, root: Path, report: Report) -> Cached:
    """The cache of a source, built by one process at a time and only if it isn't there.

    Whether it is there is told from names, labels, sizes and modification times alone.

    Args:
        source: what to decode.
        spec: what to decode it to.
        root: folder of all caches.
        report: told of progress.
    """
    key = _key(source, spec)
    keys = root / "keys"
    cached = _load(keys / key, root, spec)
    if cached is not None:
        return cached
    with locked(keys / f"{key}.lock", lambda: report("waiting for another process that prepares the same dataset")):
        cached = _load(keys / key, root, spec)
        if cached is None:
            # Whoever held the lock before and was killed may have left this behind.
            partial = keys / f"{key}.partial"
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            cached = _publish(_build(source, spec, partial, report), partial, root, spec)
            with replacing(keys / key) as file:
                file.write(cached.folder.name.encode())
    return cached


def _key(source: Source, spec: ImageSpec) -> str:
    digest = hashlib.sha256(_identity(spec).encode())
    for sample in source.samples:
        parts = (sample.name, sample.label, sample.origin, sample.locator, sample.stamp)
        digest.update("\0".join(parts).encode("utf-8", "surrogateescape") + b"\n")
    return digest.hexdigest()[:32]


def _identity(spec: ImageSpec) -> str:
    return json.dumps([_FORMAT, PIL.__version__, spec.to_dict()])


def _build(source: Source, spec: ImageSpec, partial: Path, report: Report) -> Cached:
    """Decode every sample of `source` into the folder `partial`."""
    create_output(partial / IMAGES, len(source.samples), spec)
    job = Job(source.load, spec, str(partial / IMAGES))
    outcomes: list[tuple[bytes, bytes] | str] = []
    started = reported = time.monotonic()
    total = len(source.samples)
    for decoded in decode_all(job, [sample.locator for sample in source.samples]):
        outcomes += _checked(decoded, len(outcomes))
        now = time.monotonic()
        if now - reported > _PROGRESS_EVERY_S or len(outcomes) == total:
            reported = now
            rate = len(outcomes) / (now - started)
            report(f"prepared {len(outcomes)} of {total} images ({rate:.0f}/s)")
    return _collect(source, outcomes, partial)


def _checked(decoded: Decoded, expected: int) -> list[tuple[bytes, bytes] | str]:
    if decoded.first != expected:
        raise RuntimeError(f"Chunk {decoded.first} arrived in place of {expected}.")
    return decoded.outcomes


def _collect(source: Source, outcomes: Sequence[tuple[bytes, bytes] | str], folder: Path) -> Cached:
    rows, pixels, contents, skipped = [], [], [], []
    first_with: dict[bytes, int] = {}
    for row, (sample, outcome) in enumerate(zip(source.samples, outcomes, strict=True)):
        if isinstance(outcome, str):
            skipped.append(SkippedFile(sample.name, outcome))
            continue
        content, pixel = outcome
        rows.append(row)
        pixels.append(first_with.setdefault(pixel, row))
        contents.append(hashlib.sha256(sample.label.encode("utf-8", "surrogateescape") + b"\0" + content).digest())
    usable = [source.samples[row] for row in rows]
    return Cached(
        folder,
        # Sorted: the same images in another folder, or called differently, are the same dataset.
        hashlib.sha256(b"".join(sorted(contents))).hexdigest()[:32],
        [sample.name for sample in usable],
        [sample.label for sample in usable],
        [sample.origin for sample in usable],
        rows,
        pixels,
        skipped,
    )


def _publish(built: Cached, partial: Path, root: Path, spec: ImageSpec) -> Cached:
    """Give the finished folder its name, in one step; the name says what is in it."""
    meta = {key: value for key, value in asdict(built).items() if key != "folder"}
    text = json.dumps({"identity": _identity(spec), **meta}).encode()
    with replacing(partial / _META) as file:
        file.write(text)
    with (partial / IMAGES).open("rb") as images:
        os.fsync(images.fileno())
    folder = root / f"{built.fingerprint[:16]}-{hashlib.sha256(text).hexdigest()[:8]}"
    if folder.exists() and _load_folder(folder, spec) is None:
        shutil.rmtree(folder)  # damaged since
    try:
        partial.rename(folder)
    except OSError:
        # The very same is there under another key: from files that were only touched or copied since.
        if _load_folder(folder, spec) is None:
            raise
        shutil.rmtree(partial)
    return replace(built, folder=folder)


def _load(key_file: Path, root: Path, spec: ImageSpec) -> Cached | None:
    try:
        name = key_file.read_text()
    except FileNotFoundError:
        return None
    return _load_folder(root / name, spec)


def _load_folder(folder: Path, spec: ImageSpec) -> Cached | None:
    """A cache, or None when any part of it is missing, cut off or of another kind."""
    try:
        meta: dict[str, Any] = json.loads((folder / _META).read_text())
        image_bytes = (folder / IMAGES).stat().st_size
    except (OSError, ValueError):
        return None
    if meta.pop("identity", None) != _identity(spec):
        return None
    meta["skipped"] = [SkippedFile(**entry) for entry in meta["skipped"]]
    cached = Cached(folder=folder, **meta)
    samples = len(cached.rows) + len(cached.skipped)
    return cached if image_bytes == samples * spec.height * spec.width else None

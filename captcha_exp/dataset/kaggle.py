"""Public Kaggle datasets, fetched once through kagglehub."""

import hashlib
import logging
import re
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import Any

from captcha_exp.config import KaggleConfig
from captcha_exp.dataset.image_files import read_file
from captcha_exp.dataset.kaggle_layout import discover
from captcha_exp.dataset.samples import Sample, SkippedFile, Source
from captcha_exp.errors import InputError, joined_lines
from captcha_exp.lock import locked

_log = logging.getLogger(__name__)
_HANDLE = re.compile(r"\w[\w-]*/\w[\w-]*(/versions/[0-9]+)?")
# Errors that are raised if an archive is damaged, hostile, encrypted or of an unknown kind.
_UNPACKING = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, ValueError, RuntimeError)
_LOGIN = (
    "put a token from https://www.kaggle.com/settings into KAGGLE_API_TOKEN or ~/.kaggle/kaggle.json, or unpack the "
    "dataset yourself and use `dataset=folder dataset.path=...`"
)


def open_kaggle(config: KaggleConfig, cache: Path) -> Source:
    """The samples of one or more sets. The origin of a sample is the handle of its set.

    Args:
        config: the handles, `owner/name` for the newest version or `owner/name/versions/N`.
        cache: folder for lock files. The sets themselves are in kagglehub's own cache.

    Raises:
        InputError: a handle is malformed or repeated, or its set cannot be fetched or has no labels.
    """
    samples: list[Sample] = []
    skipped: list[SkippedFile] = []
    notes: list[str] = []
    for handle in config.handles:
        if not _HANDLE.fullmatch(handle) or config.handles.count(handle) > 1:
            raise InputError(f"dataset.handles must be different Kaggle handles like owner/name, not {handle!r}.")
        folder = fetch(handle, cache)
        found = discover(folder, handle, config.layouts)
        notes.append(f"{handle}: {found.note}")
        samples += found.samples
        skipped += found.skipped
    name = "+".join(config.handles)
    return Source(name, f"kaggle:{name}", samples, skipped, read_file, notes)


def fetch(handle: str, cache: Path) -> Path:
    """Folder of an unpacked set. If kagglehub's cache has the set, this needs no network.

    Raises:
        InputError: the set is not in the cache and cannot be downloaded. The message says what to do.
    """
    folder = _cached(handle)
    if folder is not None:
        return folder
    # Two downloads of one archive into the same file would damage it.
    lock = cache / "keys" / f"kaggle-{hashlib.sha256(handle.encode()).hexdigest()[:16]}.lock"
    with locked(lock, f"another process that fetches {handle} from Kaggle"):
        folder = _cached(handle)
        if folder is None:
            _log.info("fetching %s from Kaggle", handle)
            folder = _download(handle)
    return folder


def _cached(handle: str) -> Path | None:
    """The newest complete version in kagglehub's cache. kagglehub itself would ask Kaggle for the newest one."""
    from kagglehub.cache import Cache, get_cached_path
    from kagglehub.handle import parse_dataset_handle

    parsed = parse_dataset_handle(handle)
    if parsed.is_versioned():
        versions = [parsed]
    else:
        numbers = sorted(int(entry.name) for entry in Path(get_cached_path(parsed), "versions").glob("[0-9]*"))
        versions = [parsed.with_version(number) for number in reversed(numbers)]
    for version in versions:
        path = Cache().load_from_cache(version)
        if path is not None:
            return Path(path)
    return None


def _download(handle: str) -> Path:
    import kagglehub
    import requests
    from kagglehub.exceptions import DataCorruptionError, UnauthenticatedError

    try:
        return Path(kagglehub.dataset_download(handle))
    except (requests.ConnectionError, requests.Timeout) as error:
        raise InputError(
            f"Kaggle cannot be reached for {handle} ({type(error).__name__}) and the dataset is not in kagglehub's "
            f"cache; check the network, or unpack it yourself and use `dataset=folder dataset.path=...`."
        ) from error
    except requests.HTTPError as error:
        raise InputError(_refused(handle, error)) from error
    except UnauthenticatedError as error:
        raise InputError(f"Kaggle asks for a login before it gives {handle}: {_LOGIN}.") from error
    except (DataCorruptionError, requests.RequestException, OSError) as error:
        raise InputError(
            f"{handle} could not be fetched from Kaggle: {_reason(error)}. Run the command again."
        ) from error
    except _UNPACKING as error:
        _discard_archives(handle)
        raise InputError(
            f"What Kaggle sent for {handle} cannot be unpacked safely: {_reason(error)}. Run the command again, or "
            f"unpack it yourself and use `dataset=folder dataset.path=...`."
        ) from error


def _discard_archives(handle: str) -> None:
    """Remove the partly fetched archives of a set. kagglehub would take them for finished downloads."""
    from kagglehub.cache import get_cached_path
    from kagglehub.handle import parse_dataset_handle

    base = "/".join(handle.split("/")[:2])
    for archive in Path(get_cached_path(parse_dataset_handle(base))).glob("*.archive"):
        archive.unlink()


def _reason(error: Exception) -> str:
    return joined_lines(error) or type(error).__name__


def _refused(handle: str, error: Any) -> str:
    status = error.response.status_code if error.response is not None else None
    if status in {401, 403}:
        return f"Kaggle refused {handle} (HTTP {status}): {_LOGIN}."
    if status == 404:
        return f"Kaggle has no dataset {handle} (HTTP 404); check `dataset.handles`."
    return f"Kaggle answered HTTP {status} for {handle}; try again later, or use `dataset=folder dataset.path=...`."

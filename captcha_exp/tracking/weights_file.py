"""Checks the HDF5 file of a network's weights: a hostile file could name other files or declare false sizes."""

from io import BytesIO

import h5py

from captcha_exp.errors import InputError
from captcha_exp.reader.metadata import MAX_NETWORK_BYTES
from captcha_exp.reader.untrusted import shown
from captcha_exp.tracking.mlflow_text import one_line

# A real network has some hundreds of objects.
_MAX_OBJECTS = 50_000
_MAX_DEPTH = 16


def check_weights(data: bytes, where: str) -> None:
    """Refuse a weights file unless it holds only plain numbers that are stored in the file itself.

    Args:
        data: the file.
        where: the user's name for the model, for messages.

    Raises:
        InputError: the file holds something else; the message names it.
    """
    try:
        with h5py.File(BytesIO(data), "r") as file:
            _check_groups(file, where)
    except InputError:
        raise
    except Exception as error:  # for a damaged file HDF5 raises nearly any exception
        raise InputError(f"{where}: its weights cannot be read: {one_line(error)}.") from error


def _check_groups(file: h5py.File, where: str) -> None:
    total = count = 0
    todo = [(file["/"], 0)]
    while todo:
        group, depth = todo.pop()
        for name in group:
            count += 1
            place = f"its weights' {shown(f'{group.name}/{name}'.lstrip('/'))}"
            if count > _MAX_OBJECTS or depth > _MAX_DEPTH:
                raise InputError(f"{where} has more parts, or deeper ones, in its weights than captcha_exp writes.")
            # An external link names another file, and HDF5 would open it.
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise InputError(f"{where}: {place} is a link, not numbers; only numbers in the file itself are read.")
            found = group[name]
            if isinstance(found, h5py.Group):
                todo.append((found, depth + 1))
            else:
                total += _check_numbers(found, f"{where}: {place}")
                if total > MAX_NETWORK_BYTES:
                    raise InputError(f"{where} has more than {MAX_NETWORK_BYTES >> 20} MiB of weights.")


def _check_numbers(found: object, what: str) -> int:
    """Number of bytes of a dataset."""
    if not isinstance(found, h5py.Dataset) or found.dtype.kind not in "fiu":
        raise InputError(f"{what} holds no numbers; only numbers are read.")
    if found.is_virtual or found.external:
        raise InputError(f"{what} lies in another file; only numbers in the file itself are read.")
    # If a dataset is compressed, or declared but not written, it can claim any size.
    if found.chunks is not None or found.id.get_storage_size() != found.nbytes:
        raise InputError(f"{what} is not stored as Keras stores it; save the model again with Keras.")
    return int(found.nbytes)

"""Limit how much of the uploads to the page is kept, and for how long."""

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

from captcha_exp.serve.gradio_limits import UPLOAD
from captcha_exp.serve.http_refusal import refusal

# Uploads are removed after the first time; the second is the time between two looks.
KEPT_S = 300
EVERY_S = 60
_MOST_FILES = 2_000


class UploadRoom:
    """Removes old uploads, and refuses new uploads while too many are kept, so that nobody can fill the disk.

    Gradio's own removal misses incomplete uploads.
    """

    def __init__(self, page: ASGIApp, folder: Path, most_bytes: int) -> None:
        """Files that are in `folder` now, such as examples, are never removed."""
        self._page, self._folder, self._most_bytes = page, folder, most_bytes
        self._to_stay = set(_files(folder))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._remove_at_times, name="uploads", daemon=True)
        self._thread.start()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI request."""
        answering = self._page
        if scope["type"] == "http" and scope["path"].rstrip("/") == UPLOAD and self._is_full():
            reason = "too many uploads to the page are kept; try again in some minutes"
            answering = refusal(503, reason, {"Retry-After": str(KEPT_S)})
        await answering(scope, receive, send)

    def close(self) -> None:
        """Stop removing."""
        self._stop.set()
        self._thread.join()

    def remove_old(self) -> None:
        """Remove uploads that are older than `KEPT_S`."""
        for path in self._uploads():
            with contextlib.suppress(OSError):  # removed in between, or not empty
                if time.time() - path.stat().st_mtime > KEPT_S:
                    path.unlink()
                    path.parent.rmdir()

    def _remove_at_times(self) -> None:
        while not self._stop.wait(EVERY_S):
            self.remove_old()

    def _uploads(self) -> Iterator[Path]:
        return (path for path in _files(self._folder) if path not in self._to_stay)

    def _is_full(self) -> bool:
        size = 0
        for number, path in enumerate(self._uploads()):
            with contextlib.suppress(FileNotFoundError):  # removed in between
                size += path.stat().st_size
            if number >= _MOST_FILES or size > self._most_bytes:
                return True
        return False


def _files(folder: Path) -> Iterator[Path]:
    # Unlike `rglob`, this continues if a folder is removed meanwhile.
    return (Path(parent) / name for parent, _, names in os.walk(folder) for name in names)

"""How much of what is uploaded to the page is kept at a time."""

import os
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

from captcha_exp.serving.refusal import refusal

_UPLOAD = "/gradio_api/upload"
_MOST_FILES = 2_000


class UploadRoom:
    """Refuses uploads while `folder` is full, so that nobody can fill the disk; what is old is removed by Gradio."""

    def __init__(self, page: ASGIApp, folder: Path, most_bytes: int, emptied_after_s: int) -> None:
        self._page, self._folder, self._most_bytes = page, folder, most_bytes
        self._emptied_after_s = emptied_after_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI has it."""
        answering = self._page
        if scope["type"] == "http" and scope["path"].rstrip("/") == _UPLOAD and self._is_full():
            retry = {"Retry-After": str(self._emptied_after_s)}
            answering = refusal(503, "too many uploads to the page are kept; try again in some minutes", retry)
        await answering(scope, receive, send)

    def _is_full(self) -> bool:
        files = size = 0
        for folder, _, names in os.walk(self._folder):
            for name in names:
                files += 1
                try:
                    size += (Path(folder) / name).stat().st_size
                except FileNotFoundError:  # removed in between
                    continue
                if files > _MOST_FILES or size > self._most_bytes:
                    return True
        return False

"""Limit the page's own routes where Gradio sets no limits."""

import json
import re
from typing import Any
from urllib.parse import parse_qs

import gradio as gr
from gradio.routes import file_upload_statuses
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from captcha_exp.serve.http_refusal import refusal

UPLOAD = "/gradio_api/upload"
_ANSWERS = "/gradio_api/queue/data"
# Names that browsers choose for their sessions and uploads. Gradio keeps them for a long time.
_NAME = re.compile(r"\w{1,64}", re.ASCII)
_NAMES = {"session_hash", "upload_id", "event_id"}
# Most bytes of an event: a fixed part, and a part for each of its files.
_EVENT_BYTES, _FILE_BYTES = 16_384, 2_048
# Most parts of all forms together. Each part is a file that stays open until its form ends.
_MOST_PARTS_TOGETHER = 512
_PART = b"content-disposition"
# Gradio never forgets sessions and uploads that are no longer used, so remember only this many.
_REMEMBERED = 2_000


class PageLimits:
    """Passes a request on to `page` only if the page's own scripts could send it."""

    def __init__(self, page: ASGIApp, blocks: gr.Blocks, most_files: int) -> None:
        """Take the page as an ASGI application and as Gradio's blocks, and the most files of one event."""
        self._page, self._blocks, self._most_files = page, blocks, most_files
        self._parts = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI request."""
        if scope["type"] != "http":
            await self._page(scope, receive, send)
            return
        try:
            given = {name: values[0] for name, values in parse_qs(scope["query_string"].decode("latin-1")).items()}
            _check_names(given)
            await self._answer(scope, receive, send, given)
        except _RefusedError as error:
            await refusal(error.status_code, error.detail)(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, given: dict[str, str]) -> None:
        path = scope["path"].rstrip("/")
        if path == UPLOAD:
            await self._upload(scope, receive, send)
        elif scope["method"] == "POST":
            await self._page(scope, _replay(await self._event(receive), receive), send)
        elif path == _ANSWERS and given.get("session_hash") not in self._queue.pending_messages_per_session:
            raise _RefusedError(404, "no event of this session waits")
        else:
            await self._page(scope, receive, send)
        self._forget()

    @property
    def _queue(self) -> Any:
        return self._blocks._queue

    async def _event(self, receive: Receive) -> bytes:
        """The body of a request that reports an event."""
        most, body, more = _EVENT_BYTES + _FILE_BYTES * self._most_files, b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _RefusedError(400, "the request has no end")
            body, more = body + message.get("body", b""), message.get("more_body", False)
            if len(body) > most:
                raise _RefusedError(413, f"an event of the page may have {most} bytes")
        try:
            told = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise _RefusedError(400, "an event of the page must be JSON") from error
        if not isinstance(told, dict):
            raise _RefusedError(400, "an event of the page must be a JSON object")
        _check_names(told)
        return body

    async def _upload(self, scope: Scope, receive: Receive, send: Send) -> None:
        parts, end = 0, b""

        async def counted() -> Message:
            nonlocal parts, end
            message = await receive()
            seen = end + message.get("body", b"").lower()
            found, end = seen.count(_PART), seen[-len(_PART) + 1 :]
            parts += found
            self._parts += found
            if parts > self._most_files:
                raise HTTPException(413, f"an upload may have {self._most_files} files (limits.images_per_request)")
            if self._parts > _MOST_PARTS_TOGETHER:
                raise HTTPException(503, "too many files are being uploaded; try again")
            return message

        try:
            await self._page(scope, counted, send)
        finally:
            self._parts -= parts

    def _forget(self) -> None:
        # Like `_queue`, these are private to Gradio: nothing public forgets entries. `test_gradio_limits.py` tests all.
        uploads: Any = file_upload_statuses
        for remembered in (self._queue.pending_event_ids_session, uploads._statuses, uploads._signals):
            while len(remembered) > _REMEMBERED:
                del remembered[next(iter(remembered))]


class _RefusedError(HTTPException):
    """A request is refused. The answer has the same form as every other refusal."""


def _check_names(given: dict[str, Any]) -> None:
    for name in _NAMES & set(given):
        if given[name] is not None and not (isinstance(given[name], str) and _NAME.fullmatch(given[name])):
            raise _RefusedError(400, f"{name} must be up to 64 letters and digits")


def _replay(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def replayed() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed

"""Limit what one request, one client and all clients together may take of a server."""

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from captcha_exp.config import RequestLimitsConfig
from captcha_exp.serve.http_refusal import refusal

MIB = 2**20
# Most clients to remember. Above that, those without a recent request are forgotten.
_MOST_CLIENTS = 10_000
# A client reads no answer while it sends. So a body above the limit is received, up to this multiple, and dropped.
_DROPPED = 4
_WITHOUT_BODY = {"GET", "HEAD", "OPTIONS"}


class Rates:
    """A bucket of tokens for each client. It gets `per_second` tokens a second, and holds those of one second."""

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second, self._room, self._clock = per_second, max(1.0, per_second), clock
        self._left: dict[str, tuple[float, float]] = {}  # client -> (tokens, when)

    def wait_s(self, client: str) -> float:
        """Take a token and return 0, or return the seconds until there is one."""
        now = self._clock()
        if len(self._left) >= _MOST_CLIENTS:
            self._left = {name: left for name, left in self._left.items() if self._tokens(left, now) < self._room}
        tokens = self._tokens(self._left.get(client, (self._room, now)), now)
        wait_s = 0.0 if tokens >= 1 else (1 - tokens) / self._per_second
        self._left[client] = (tokens if wait_s else tokens - 1, now)
        return wait_s

    def _tokens(self, left: tuple[float, float], now: float) -> float:
        tokens, when = left
        return min(self._room, tokens + (now - when) * self._per_second)


@dataclass
class _Upload:
    """What has been received of one body."""

    bytes: int = 0
    is_whole: bool = False


class RequestLimits:
    """Passes requests with a body on to `app` as far as the limits allow.

    Other requests (for a page, its files, health) cost almost nothing and always pass.
    """

    def __init__(self, app: ASGIApp, limits: RequestLimitsConfig, in_progress: Callable[[int], None]) -> None:
        """Take the application and its limits. `in_progress` is called with the number of requests in progress."""
        self._app, self._limits, self._in_progress = app, limits, in_progress
        self._most_bytes, self._most_bytes_together = int(limits.upload_mib * MIB), int(limits.uploads_mib * MIB)
        self._bytes_together = 0
        self._rates = None if limits.requests_per_second is None else Rates(limits.requests_per_second)
        self._count = 0

    @property
    def busy(self) -> bool:
        """Whether the next request would be refused."""
        return self._count >= self._limits.concurrent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI request."""
        if scope["type"] != "http" or scope["method"] in _WITHOUT_BODY:
            await self._app(scope, receive, send)
            return
        wait_s = self._rates.wait_s(scope["client"][0]) if self._rates and scope["client"] else 0
        if wait_s or self.busy:
            await self._drop_body(receive)
            await self._refuse(wait_s)(scope, receive, send)
            return
        upload = _Upload()
        self._count += 1
        self._in_progress(self._count)
        try:
            await self._app(scope, self._bounded(upload, receive), send)
        finally:
            self._count -= 1
            self._bytes_together -= upload.bytes
            self._in_progress(self._count)

    def _refuse(self, wait_s: float) -> ASGIApp:
        if wait_s:
            reason = f"more than {self._limits.requests_per_second:g} requests a second from one address"
            return refusal(429, reason, {"Retry-After": str(math.ceil(wait_s))})
        reason = f"{self._limits.concurrent} requests are in progress; try again"
        return refusal(503, reason, {"Retry-After": "1"})

    def _bounded(self, upload: "_Upload", receive: Receive) -> Receive:
        """Receive a body. If it is too long or too slow, raise the answer for the client."""
        until = asyncio.get_running_loop().time() + self._limits.upload_s

        async def bounded() -> Message:
            try:
                async with asyncio.timeout_at(None if upload.is_whole else until):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, f"the upload took longer than {self._limits.upload_s:g} s") from None
            if message["type"] == "http.request" and not upload.is_whole:
                size = len(message.get("body", b""))
                upload.bytes += size
                self._bytes_together += size
                if upload.bytes > self._most_bytes:
                    await self._drop_body(receive)
                    raise HTTPException(413, f"an upload may have {self._limits.upload_mib:g} MiB (limits.upload_mib)")
                if self._bytes_together > self._most_bytes_together:
                    await self._drop_body(receive)
                    reason = f"{self._limits.uploads_mib:g} MiB of uploads are in progress; try again"
                    raise HTTPException(503, reason, {"Retry-After": "1"})
                # The next message says that the client has left, so it has no time limit.
                upload.is_whole = not message.get("more_body")
            return message

        return bounded

    async def _drop_body(self, receive: Receive) -> None:
        dropped = 0
        try:
            async with asyncio.timeout(self._limits.upload_s):
                while dropped <= _DROPPED * self._most_bytes:
                    message = await receive()
                    dropped += len(message.get("body", b""))
                    if not message.get("more_body"):
                        return
        except TimeoutError:
            return

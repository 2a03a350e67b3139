"""What browsers are told that they may do with an answer."""

import re
from base64 import b64encode
from hashlib import sha256

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Gradio needs styles that its scripts write, and pictures that they make. It runs without evaluating strings.
_POLICY = (
    "default-src 'none'; script-src 'self'{scripts}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; manifest-src 'self'; worker-src 'self' blob:; form-action 'self'; "
    "base-uri 'self'; frame-ancestors 'none'"
)
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
_SCRIPT = re.compile(rb"<script\b[^>]*>(.*?)</script>", re.DOTALL)


class BrowserPolicy:
    """Says in every answer of `app` that a page may load nothing from elsewhere, whatever is on it.

    Of scripts inside a page those run that the server sent with it, which are named by their digests, and no others.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI has it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start: Message = {}
        page = bytearray()

        async def answer(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                if not _is_page(message):
                    await send(_with_policy(message))
            elif _is_page(start):
                page.extend(message.get("body", b""))
                if not message.get("more_body"):
                    await send(_with_policy(start, bytes(page)))
                    await send({"type": "http.response.body", "body": bytes(page)})
            else:
                await send(message)

        # A compressed page would have to be read to tell its scripts.
        headers = [one for one in scope["headers"] if one[0] != b"accept-encoding" or scope["path"] != "/"]
        await self._app({**scope, "headers": headers}, receive, answer)


def _is_page(start: Message) -> bool:
    return any(name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in start["headers"])


def _with_policy(start: Message, page: bytes = b"") -> Message:
    digests = (b64encode(sha256(script).digest()).decode() for script in _SCRIPT.findall(page))
    policy = _POLICY.format(scripts="".join(f" 'sha256-{digest}'" for digest in digests))
    return {**start, "headers": [*start["headers"], (b"content-security-policy", policy.encode()), *_HEADERS]}

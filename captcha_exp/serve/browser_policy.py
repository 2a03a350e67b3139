"""Tell browsers what a page of this server may do."""

import re
from base64 import b64encode
from hashlib import sha256

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Gradio's scripts write styles and make pictures. They do not need to evaluate strings.
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
    """Adds a policy to every answer of `app`: a page may load nothing from other servers.

    Only those scripts inside a page may run that the server sent with it. The policy names them by their digests.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI request."""
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

        # Ask for the page without compression, so that its scripts can be found.
        headers = [one for one in scope["headers"] if one[0] != b"accept-encoding" or scope["path"] != "/"]
        await self._app({**scope, "headers": headers}, receive, answer)


def _is_page(start: Message) -> bool:
    return any(name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in start["headers"])


def _with_policy(start: Message, page: bytes = b"") -> Message:
    digests = (b64encode(sha256(script).digest()).decode() for script in _SCRIPT.findall(page))
    policy = _POLICY.format(scripts="".join(f" 'sha256-{digest}'" for digest in digests))
    return {**start, "headers": [*start["headers"], (b"content-security-policy", policy.encode()), *_HEADERS]}

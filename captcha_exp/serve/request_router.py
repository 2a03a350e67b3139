"""The way of a request to the endpoint or to the page."""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from captcha_exp.serve.endpoint import ROUTES
from captcha_exp.serve.gradio_routes import is_page_route
from captcha_exp.serve.prometheus_metrics import ServerMetrics

# The page may load nothing from elsewhere, whatever is on it.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
    "frame-ancestors 'self'; form-action 'self'; base-uri 'self'"
)
_HEADERS = [
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]


class Switch:
    """Sends each request to `api` or `page`. What neither offers is the API's to refuse."""

    def __init__(self, api: ASGIApp, page: ASGIApp) -> None:
        self._api, self._page = api, page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI has it; the page also hears of the server's start and end."""
        to_page = scope["type"] != "http" or is_page_route(scope["method"], scope["path"])
        await (self._page if to_page else self._api)(scope, receive, send)


class Front:
    """Counts every request that `app` answers, and says in every answer what browsers may do with it."""

    def __init__(self, app: ASGIApp, metrics: ServerMetrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI has it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", []), *_HEADERS]
            await send(message)

        try:
            await self._app(scope, receive, answer)
        finally:
            self._metrics.count_request(_route(scope), status, time.perf_counter() - started)


def _route(scope: Scope) -> str:
    """A label of which there are few, whatever clients ask for."""
    if scope["path"] in ROUTES:
        return str(scope["path"])
    return "page" if is_page_route(scope["method"], scope["path"]) else "other"

"""The way of a request to the endpoint or to the page."""

import time

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from captcha_exp.serve.endpoint import ROUTES
from captcha_exp.serve.gradio_routes import is_page_route
from captcha_exp.serve.prometheus_metrics import ServerMetrics

# What servers count a request as whose client did not wait for the answer.
_GONE = 499


class Switch:
    """Sends each request to `api` or `page`. What neither offers is the API's to refuse."""

    def __init__(self, api: ASGIApp, page: ASGIApp) -> None:
        self._api, self._page = api, page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI has it; the page also hears of the server's start and end."""
        to_page = scope["type"] != "http" or is_page_route(scope["method"], scope["path"])
        await (self._page if to_page else self._api)(scope, receive, send)


class Front:
    """Counts every request that `app` answers."""

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
            await send(message)

        try:
            await self._app(scope, receive, answer)
        except ClientDisconnect:  # in the middle of an upload: nobody is left to be told, and the log need not be
            status = _GONE
        finally:
            self._metrics.count_request(_route(scope), status, time.perf_counter() - started)


def _route(scope: Scope) -> str:
    """A label of which there are few, whatever clients ask for."""
    if scope["path"] in ROUTES:
        return str(scope["path"])
    return "page" if is_page_route(scope["method"], scope["path"]) else "other"

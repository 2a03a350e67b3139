"""Route a request to the endpoint or to the page."""

import time

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from captcha_exp.serve.endpoint import ROUTES
from captcha_exp.serve.gradio_routes import is_page_route
from captcha_exp.serve.prometheus_metrics import ServerMetrics

# The usual status in logs for a request whose client did not wait for the answer.
_GONE = 499


class Switch:
    """Sends each request to `api` or `page`. If neither has the route, the API refuses the request."""

    def __init__(self, api: ASGIApp, page: ASGIApp) -> None:
        self._api, self._page = api, page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI request. The page also gets the server's start and end."""
        to_page = scope["type"] != "http" or is_page_route(scope["method"], scope["path"])
        await (self._page if to_page else self._api)(scope, receive, send)


class Front:
    """Counts every request that `app` answers."""

    def __init__(self, app: ASGIApp, metrics: ServerMetrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI request."""
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
        except ClientDisconnect:  # in the middle of an upload: nobody needs an answer or a log line
            status = _GONE
        finally:
            self._metrics.count_request(_route(scope), status, time.perf_counter() - started)


def _route(scope: Scope) -> str:
    """A label for the metrics. There are only a few labels, whatever clients ask for."""
    if scope["path"] in ROUTES:
        return str(scope["path"])
    return "page" if is_page_route(scope["method"], scope["path"]) else "other"

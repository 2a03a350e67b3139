"""Answer only requests for the server's own names, from web pages that may use it."""

import ipaddress
import re
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from captcha_exp.serve.http_refusal import refusal

ANY = "*"
_HOST = re.compile(r"(?P<name>[\w.-]+|\[[0-9a-fA-F:.]+\])(:\d{1,5})?", re.ASCII)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
# The routes behind the page; no link leads to them.
_EVENTS = "/gradio_api/"


class HostAndOrigin:
    """Passes a request on to `app` only if it names this server, and comes from an allowed web page, if from any.

    A foreign page can make its visitors' browsers send requests to addresses that only they can reach. With each
    request a browser sends the server's name (`Host`) and the page that asks (`Origin`, `Sec-Fetch-Site`).
    """

    def __init__(self, app: ASGIApp, host: str, allowed_hosts: Sequence[str], allowed_origins: Sequence[str]) -> None:
        """Take the server's address, its further names (`*` is any), and further origins that may use it."""
        self._app = app
        self._any = ANY in allowed_hosts
        self._hosts = {_name(name) for name in (*_LOOPBACK, host, *allowed_hosts)}
        self._origins = {origin.lower() for origin in allowed_origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI request."""
        reason = self._refused(scope, Headers(scope=scope)) if scope["type"] == "http" else None
        answering = refusal(403, reason) if reason else self._app
        await answering(scope, receive, send)

    def _refused(self, scope: Scope, headers: Headers) -> str | None:
        # In X-Forwarded-Host a proxy sends the name that its client asked for, and Gradio believes it.
        told = ",".join([*headers.getlist("host"), *headers.getlist("x-forwarded-host")])
        names = [name.strip() for name in told.split(",")]
        if not headers.get("host"):
            return "the request names no host"
        for name in names:
            if not self._is_allowed(name, scope):
                return f"host {name[:100]!r} is not served here; `allowed_hosts` names those that are"
        origin = headers.get("origin")
        if origin is None:
            return _refused_site(scope, headers.get("sec-fetch-site"), headers.get("sec-fetch-mode"))
        own = {f"{scheme}://{name}".lower() for name in names for scheme in ("http", "https")}
        if len(headers.getlist("origin")) > 1 or origin.lower() not in own | self._origins:
            return f"pages of {origin[:100]!r} may not use this server; `allowed_origins` names those that may"
        return None

    def _is_allowed(self, header: str, scope: Scope) -> bool:
        found = _HOST.fullmatch(header)
        if found is None:
            return False
        if self._any:
            return True
        # No foreign web page can have the address of this connection as its name.
        local = _name(str(scope["server"][0])) if scope.get("server") else None
        name = _name(found["name"])
        return name in self._hosts or name == local


def _refused_site(scope: Scope, site: str | None, mode: str | None) -> str | None:
    """Browsers send no `Origin` if a page asks for pictures, scripts or another page."""
    if site in {None, "same-origin", "none"}:
        return None
    followed = mode == "navigate" and scope["method"] in {"GET", "HEAD"} and not scope["path"].startswith(_EVENTS)
    return None if followed else "pages of another origin may not use this server"


def _name(host: str) -> str:
    """A name or an address in its normal form, for comparison."""
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return host.lower()
    return str(getattr(address, "ipv4_mapped", None) or address)

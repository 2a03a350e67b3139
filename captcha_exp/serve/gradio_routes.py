"""Gradio's routes that the page needs."""

import re

# Our own script beside Gradio's.
PAGE_SCRIPT = "/page_access.js"
# Other routes fetch from other servers, show internals of this server, or serve a different kind of page.
_GET = re.compile(
    r"/|/(config|theme\.css|favicon\.ico|manifest\.json|robots\.txt)/?"
    r"|/page_access\.js"
    r"|/(assets|static|svelte)/.+"
    r"|/gradio_api/(info|startup-events|upload_progress|queue/data|app_id|theme\.css)/?"
    r"|/gradio_api/heartbeat/\w+"
    r"|/gradio_api/file=(?!\w+:).+"
)
_POST = re.compile(r"/gradio_api/(upload|queue/join|run/predict|cancel|reset)/?")


def is_page_route(method: str, path: str) -> bool:
    """Whether the page makes such a request."""
    allowed = _POST if method == "POST" else _GET if method in {"GET", "HEAD"} else None
    return allowed is not None and allowed.fullmatch(path) is not None

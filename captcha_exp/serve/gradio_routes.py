"""The routes that the page needs, of the many that Gradio brings."""

import re

# Left out are those that fetch from elsewhere, show the inside of the server, or are for pages unlike this one.
_GET = re.compile(
    r"/|/(config|theme\.css|favicon\.ico|manifest\.json|robots\.txt)/?"
    r"|/(assets|static|svelte)/.+"
    r"|/gradio_api/(info|startup-events|upload_progress|queue/data|app_id|theme\.css)/?"
    r"|/gradio_api/heartbeat/\w+"
    r"|/gradio_api/file=(?!\w+:).+"
)
_POST = re.compile(r"/gradio_api/(upload|queue/join|run/predict|cancel|reset)/?")


def is_page_route(method: str, path: str) -> bool:
    """Whether a request is one that the page makes."""
    allowed = _POST if method == "POST" else _GET if method in {"GET", "HEAD"} else None
    return allowed is not None and allowed.fullmatch(path) is not None

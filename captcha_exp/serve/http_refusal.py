"""The one form in which a request is refused."""

from collections.abc import Mapping

from starlette.responses import JSONResponse

from captcha_exp.errors import joined_lines


def refusal(status: int, reason: str, headers: Mapping[str, str] | None = None, **more: object) -> JSONResponse:
    """An answer `{"error": reason}` of one line, with `more` beside it."""
    return JSONResponse({"error": joined_lines(reason), **more}, status, dict(headers or {}))

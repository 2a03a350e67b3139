"""The page on which images are labelled, and what it asks for."""

import json
from collections.abc import Callable
from importlib import resources
from io import BytesIO
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from captcha_exp.dataset.image_files import read_file
from captcha_exp.errors import InputError
from captcha_exp.label.labelling_session import LabellingSession
from captcha_exp.prepare.embedded_images import viewable
from captcha_exp.reader.image_formats import BadImageError
from captcha_exp.serve.browser_policy import BrowserPolicy
from captcha_exp.serve.host_and_origin import HostAndOrigin
from captcha_exp.serve.http_refusal import refusal

_FILES = {"/": "page.html", "/page.js": "page.js", "/page.css": "page.css"}
_TYPES = {"html": "text/html", "js": "text/javascript", "css": "text/css"}
# A label has at most 256 characters.
_BODY_BYTES = 16 * 2**10
_MOST_DIGITS = 9
_NOT_KEPT = {"Cache-Control": "no-store"}


def label_application(session: LabellingSession, host: str) -> ASGIApp:
    """The page and its routes, for this machine alone.

    Args:
        session: takes the answers.
        host: the address that the server listens at.
    """
    routes = [Route(path, _file(name)) for path, name in _FILES.items()]
    routes += [
        Route("/state", _shown(session)),
        Route("/images/{number}", _image(session)),
        Route("/label", _answer(session, lambda body: session.label(_number(body), _text(body))), methods=["POST"]),
        Route("/skip", _answer(session, lambda body: session.skip(_number(body))), methods=["POST"]),
        Route("/undo", _answer(session, lambda _: session.undo()), methods=["POST"]),
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _refuse, InputError: _refuse_input})
    return BrowserPolicy(HostAndOrigin(app, host, [], []))


def _file(name: str) -> Callable[[Request], Response]:
    content = resources.files("captcha_exp.label").joinpath("page", name).read_bytes()
    kind = _TYPES[name.rpartition(".")[2]]
    return lambda _: Response(content, media_type=kind, headers=_NOT_KEPT)


def _state(session: LabellingSession) -> Response:
    return JSONResponse(session.state(), headers=_NOT_KEPT)


def _shown(session: LabellingSession) -> Callable[[Request], Any]:
    # Not in a thread of its own, as Starlette would do with a plain function: the session belongs to one thread.
    async def shown(_: Request) -> Response:
        return _state(session)

    return shown


def _image(session: LabellingSession) -> Callable[[Request], Response]:
    def image(request: Request) -> Response:
        number = request.path_params["number"]
        # Not Starlette's own `:int`: of thousands of digits Python makes no number, but an exception.
        if not number.isdecimal() or len(number) > _MOST_DIGITS or int(number) >= session.images:
            return refusal(404, "there is no such image")
        try:
            # Not the file itself: a browser cannot show every format, and what it gets is certainly a picture.
            data = BytesIO()
            viewable(read_file(session.path(int(number)))).save(data, "PNG", compress_level=1)
        except BadImageError as error:
            return refusal(422, f"the image cannot be read any more: {error}")
        return Response(data.getvalue(), media_type="image/png", headers=_NOT_KEPT)

    return image


def _answer(session: LabellingSession, do: Callable[[dict[str, Any]], None]) -> Callable[[Request], Any]:
    """Do what a request asks for, and answer with the new state."""

    async def answer(request: Request) -> Response:
        body = await _body(request)
        if body.get("token") != session.token:
            return refusal(409, "this page is from an earlier start of the command; reload it")
        do(body)
        return _state(session)

    return answer


async def _body(request: Request) -> dict[str, Any]:
    """A JSON object. No form of another page can send this type."""
    if request.headers.get("content-type") != "application/json":
        raise HTTPException(415, "the body must be application/json")
    data = bytearray()
    async for part in request.stream():
        data += part
        if len(data) > _BODY_BYTES:
            raise HTTPException(413, f"the body is larger than {_BODY_BYTES} bytes")
    try:
        body = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "the body is not JSON") from error
    if not isinstance(body, dict):
        raise HTTPException(400, "the body is not a JSON object")
    return body


def _number(body: dict[str, Any]) -> int:
    number = body.get("number")
    if type(number) is not int:  # True is one as well
        raise HTTPException(400, "number must be a whole number")
    return number


def _text(body: dict[str, Any]) -> str:
    text = body.get("label")
    if not isinstance(text, str):
        raise HTTPException(400, "label must be a text")
    return text


async def _refuse(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return refusal(error.status_code, error.detail)


async def _refuse_input(_: Request, error: Exception) -> Response:
    return refusal(422, str(error))

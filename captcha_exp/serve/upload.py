"""Read the image files of a request."""

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from captcha_exp.reader.decoding import Constraint
from captcha_exp.serve.batcher import ReadOptions

MULTIPART = "multipart/form-data"
# Content types of a body that is one image. By default, curl and urllib call any body a form.
RAW = ("image/", "application/octet-stream", "application/x-www-form-urlencoded")
JSON = "application/json"
# What curl -d and others call a body of which they do not know what it is.
_UNNAMED = ("", "application/x-www-form-urlencoded")
_IMAGE = "image"
_DATA_URI = re.compile(r"\s*data:[^,;]{0,100}(?:;[^,;]{0,100}){0,5},", re.I)
# Blanks are left out, and the alphabet for addresses is read too.
_PLAIN = str.maketrans("-_", "+/", " \t\r\n")
MOST_ALTERNATIVES = 20
_MOST_FIELDS = 20
_MOST_FIELD_BYTES = 4096

_Text = Annotated[str | None, Field(max_length=1000)]
_Length = Annotated[int | None, Field(ge=0)]


class ReadParameters(BaseModel):
    """Parameters of a request, from its query or from the fields of its form."""

    model_config = ConfigDict(extra="forbid")

    pattern: _Text = Field(None, description="regular expression that the whole text matches")
    alphabet: _Text = Field(None, description="the characters that can occur")
    min_length: _Length = Field(None, description="fewest characters")
    max_length: _Length = Field(None, description="most characters")
    alternatives: int = Field(
        0, ge=0, le=MOST_ALTERNATIVES, description="how many further texts to return for each image"
    )

    @property
    def options(self) -> ReadOptions:
        """The parameters as options for the predictor."""
        constraint = Constraint(self.pattern, self.alphabet, self.min_length, self.max_length)
        return ReadOptions(constraint if constraint else None, self.alternatives)


@dataclass(frozen=True)
class Upload:
    """The files of a request by name, in order. An image that is the body, or in JSON, is one file without a name."""

    files: list[tuple[str | None, bytes]]
    options: ReadOptions


async def receive_upload(request: Request, most_files: int) -> Upload:
    """Read a request's body and parameters.

    Raises:
        HTTPException: 400, 413 or 415, with the reason.
    """
    given = list(request.query_params.multi_items())
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == MULTIPART:
        fields, files = await _form(request, most_files)
        return Upload(files, _parameters(given + fields).options)
    if kind and kind != JSON and not kind.startswith(RAW):
        raise HTTPException(
            415, f"content type {kind[:100]!r}; send one image as the body or in {JSON}, or several as {MULTIPART}"
        )
    options = _parameters(given).options  # check these before the body is sent, as a parameter may be mistyped
    body = await request.body()
    if kind == JSON or (kind in _UNNAMED and body[:1] == b"{"):
        fields, image = await run_in_threadpool(_from_json, body)
        return Upload([(None, image)], _parameters(given + fields).options)
    return Upload([(None, body)], options)


def _from_json(body: bytes) -> tuple[list[tuple[str, Any]], bytes]:
    """The parameters in a JSON object, and the image in its field `image`."""
    try:
        fields = json.loads(body, object_pairs_hook=tuple)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, f"the body cannot be read as JSON: {error}") from error
    images = [value for name, value in fields if name == _IMAGE] if isinstance(fields, tuple) else []
    if len(images) != 1 or not isinstance(images[0], str):
        raise HTTPException(
            400, f'send {{"{_IMAGE}": "..."}} with one image in base64 or as a data: URI, or several as {MULTIPART}'
        )
    known = [(name, value) for name, value in fields if name != _IMAGE]
    if len(known) > _MOST_FIELDS:
        raise HTTPException(400, f"the JSON has more than {_MOST_FIELDS} parameters")
    try:
        "".join(text for field in known for text in field if isinstance(text, str)).encode()
    except UnicodeEncodeError as error:
        raise HTTPException(400, "the JSON has half a character, a surrogate without the other") from error
    return known, _decoded(images[0])


def _decoded(text: str) -> bytes:
    """The bytes of base64, with or without `data:...;base64,` before it."""
    start = _DATA_URI.match(text)
    if start is not None and not start[0].lower().endswith(";base64,"):
        raise HTTPException(400, f"the data: URI of {_IMAGE} must be base64 (data:image/png;base64,...)")
    packed = text[start.end() if start else 0 :].translate(_PLAIN).rstrip("=")
    try:
        return base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise HTTPException(400, f"{_IMAGE} is no base64, nor a data: URI; addresses are not fetched") from error


async def _form(request: Request, most_files: int) -> tuple[list[tuple[str, str]], list[tuple[str | None, bytes]]]:
    fields: list[tuple[str, str]] = []
    files: list[tuple[str | None, bytes]] = []
    try:
        async with request.form(max_files=most_files, max_fields=_MOST_FIELDS, max_part_size=_MOST_FIELD_BYTES) as form:
            for name, value in form.multi_items():
                if isinstance(value, UploadFile):
                    files.append((value.filename, await value.read()))
                else:
                    fields.append((name, value))
    except HTTPException as error:
        if "Too many files" in error.detail:
            raise HTTPException(413, f"a request may have {most_files} images (limits.images_per_request)") from error
        raise
    except (ValueError, LookupError) as error:  # e.g. an unknown charset
        raise HTTPException(400, f"the form cannot be read: {error}") from error
    if not files:
        raise HTTPException(400, "the form has no file; send each image as a part with a file name")
    return fields, files


def _parameters(given: list[tuple[str, Any]]) -> ReadParameters:
    names = [name for name, _ in given]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise HTTPException(400, f"{repeated[:100]} is given more than once")
    try:
        return ReadParameters.model_validate(dict(given))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        if first["type"] == "extra_forbidden":
            known = ", ".join(ReadParameters.model_fields)
            raise HTTPException(400, f"{name[:100]!r} is no parameter; there are {known}") from error
        raise HTTPException(400, f"{name}: {first['msg']}, not {str(first['input'])[:100]!r}") from error

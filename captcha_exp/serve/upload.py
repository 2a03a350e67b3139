"""Read the image files of a request."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from captcha_exp.reader.decoding import Constraint
from captcha_exp.serve.batcher import ReadOptions

MULTIPART = "multipart/form-data"
# Content types of a body that is one image. By default, curl and urllib call any body a form.
RAW = ("image/", "application/octet-stream", "application/x-www-form-urlencoded")
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
    """The files of a request by name, in order. If the body is one image, it is a single file without a name."""

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
    if kind and not kind.startswith(RAW):
        raise HTTPException(415, f"content type {kind[:100]!r}; send one image as the body, or several as {MULTIPART}")
    options = _parameters(given).options  # check these before the body is sent, as a parameter may be mistyped
    return Upload([(None, await request.body())], options)


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


def _parameters(given: list[tuple[str, str]]) -> ReadParameters:
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

"""The HTTP endpoint: it takes images and answers with their texts as JSON."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from captcha_exp.errors import InputError, joined_lines
from captcha_exp.reader.image_formats import BadImageError
from captcha_exp.reader.predictor import Reading
from captcha_exp.serve.batcher import STUCK_S, Batcher, UnansweredError
from captcha_exp.serve.http_refusal import refusal
from captcha_exp.serve.model_holder import ModelHolder
from captcha_exp.serve.prometheus_metrics import CONTENT_TYPE, ServerMetrics
from captcha_exp.serve.upload import JSON, MULTIPART, ReadParameters, receive_upload
from captcha_exp.serve.wanted import answer_while_wanted

READ = "/v1/read"
ROUTES = (READ, "/healthz", "/readyz", "/metrics", "/openapi.json")
_AGAIN = {"Retry-After": "1"}


class Alternative(BaseModel):
    """A further text that the image may show."""

    text: str
    confidence: float


class Found(BaseModel):
    """What was read in one image, or why it could not be."""

    file: str | None = Field(None, description="the file's name, in an answer for several files")
    text: str | None = None
    confidence: float | None = Field(None, description="probability of the text, given the constraints")
    alternatives: list[Alternative] | None = Field(None, description="if asked for, the likeliest first")
    model: str | None = Field(None, description="which model read it; for several files, it is beside `results`")
    error: str | None = None


class FoundAll(BaseModel):
    """What was read in several images, in order."""

    model: str
    results: list[Found]


class Refused(BaseModel):
    """Why a request was refused."""

    error: str


class Health(BaseModel):
    """The state of the server, and its model."""

    status: str
    model: str
    model_id: str | None
    runtime: str
    characters: str
    figures: dict[str, float]
    reload_error: str | None = Field(description="why a newer version is not in use")


def build_api(endpoint: "Endpoint") -> FastAPI:
    """The application behind `ROUTES`. Any other path gets 404."""
    # FastAPI's documentation pages would load scripts from other servers.
    api = FastAPI(title="captcha_exp", version="1", docs_url=None, redoc_url=None, redirect_slashes=False)
    read = api.post(READ, summary="Read images", openapi_extra=_READ_REQUEST, responses=_READ_ANSWERS)
    read(endpoint.read)
    api.get("/healthz", summary="Whether the server answers, with which model", response_model=Health)(endpoint.health)
    busy: dict[int | str, dict[str, Any]] = {503: {"model": Refused}}
    api.get("/readyz", summary="Whether a request would be taken now", responses=busy)(endpoint.readiness)
    api.get("/metrics", summary="Counters in Prometheus' text format", response_class=Response)(endpoint.counted)
    api.add_exception_handler(HTTPException, _refuse)
    api.add_exception_handler(InputError, _refuse_input)
    api.add_exception_handler(UnansweredError, _unanswered)
    api.add_exception_handler(Exception, _apologise)
    return api


@dataclass(frozen=True)
class Endpoint:
    """Handles the routes.

    Attributes:
        batcher: reads what is uploaded.
        models: knows the model in use.
        metrics: counts images; `/metrics` shows it.
        most_files: how many images a request may have.
        busy: whether the next request would be refused.
    """

    batcher: Batcher
    models: ModelHolder
    metrics: ServerMetrics
    most_files: int
    busy: Callable[[], bool]

    async def read(self, request: Request) -> Response:
        upload = await receive_upload(request, self.most_files)
        names, files = zip(*upload.files, strict=True)
        answer = await answer_while_wanted(request, self.batcher.submit(files, upload.options))
        found = [_found(reading, upload.options.alternatives) for reading in answer.readings]
        unreadable = sum("error" in one for one in found)
        self.metrics.count_images(len(found) - unreadable, unreadable)
        if names == (None,):
            return JSONResponse({**found[0], "model": answer.model.name}, 422 if unreadable else 200)
        results = [{"file": name, **one} for name, one in zip(names, found, strict=True)]
        if unreadable == len(found):
            return refusal(422, f"no image could be read; {found[0]['error']}", results=results)
        return JSONResponse({"model": answer.model.name, "results": results})

    async def health(self) -> dict[str, Any]:
        held = self.models.current
        return {
            "status": "ok",
            "model": held.name,
            "model_id": held.predictor.model_id,
            "runtime": held.predictor.runtime,
            "characters": held.predictor.characters,
            "figures": held.predictor.figures,
            "reload_error": self.models.problem,
        }

    async def readiness(self) -> Response:
        busy_s = self.batcher.busy_s
        reason = f"reading hangs, for {busy_s:.0f} s now" if busy_s > STUCK_S else "busy" if self.busy() else None
        return refusal(503, reason, _AGAIN) if reason else JSONResponse({"status": "ready"})

    async def counted(self) -> Response:
        return Response(self.metrics.text(), media_type=CONTENT_TYPE)


def _found(reading: Reading | BadImageError, alternatives: int) -> dict[str, Any]:
    if isinstance(reading, BadImageError):
        return {"error": joined_lines(reading)}
    found: dict[str, Any] = {"text": reading.text, "confidence": reading.confidence}
    if alternatives:
        found["alternatives"] = [{"text": text, "confidence": share} for text, share in reading.alternatives]
    return found


async def _refuse(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return refusal(error.status_code, str(error.detail), error.headers)


async def _refuse_input(_: Request, error: Exception) -> Response:
    return refusal(400, str(error))


async def _unanswered(_: Request, error: Exception) -> Response:
    return refusal(503, str(error), _AGAIN)


async def _apologise(_: Request, __: Exception) -> Response:
    return refusal(500, "the server failed; its log says why")


_IMAGE = {"schema": {"type": "string", "format": "binary"}}
_READ_REQUEST: dict[str, Any] = {
    "parameters": [
        {"name": name, "in": "query", "required": False, "schema": schema, "description": schema.get("description", "")}
        for name, schema in ReadParameters.model_json_schema()["properties"].items()
    ],
    "requestBody": {
        "required": True,
        "content": {
            "image/*": _IMAGE,
            "application/octet-stream": _IMAGE,
            JSON: {
                "schema": {
                    "type": "object",
                    "properties": {
                        "image": {
                            "type": "string",
                            "description": "the image in base64, also as a data: URI",
                            "examples": ["data:image/png;base64,iVBORw0KGgo..."],
                        },
                        **ReadParameters.model_json_schema()["properties"],
                    },
                    "required": ["image"],
                }
            },
            MULTIPART: {
                "schema": {
                    "type": "object",
                    "properties": {
                        "image": {"type": "array", "items": {"type": "string", "format": "binary"}},
                        **ReadParameters.model_json_schema()["properties"],
                    },
                    "required": ["image"],
                }
            },
        },
    },
}
_READ_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"model": Found | FoundAll, "description": "The reading of one image, or the readings of several in order"},
    400: {"model": Refused, "description": "A parameter, the form or the JSON cannot be used"},
    408: {"model": Refused, "description": "The upload took too long"},
    413: {"model": Refused, "description": "The upload is too large, or has too many images"},
    415: {"model": Refused, "description": "The body is of another type"},
    422: {"model": Refused, "description": "No image of the request can be read"},
    429: {"model": Refused, "description": "Too many requests from one address; see Retry-After"},
    503: {"model": Refused, "description": "Too many requests at once, or none is read; see Retry-After"},
}

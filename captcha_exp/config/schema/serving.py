"""How a model is served."""

import re
from typing import Annotated

from pydantic import Field, model_validator

from captcha_exp.config.fields import Count, ModelAddress, Must, Positive, Rooted, Settings, Whole
from captcha_exp.config.schema.training import TrackingConfig
from captcha_exp.errors import InputError
from captcha_exp.reader.image import MAX_PIXELS

_MAX_PORT = 65535
_HOST = re.compile(r"\*|[\w.-]+|[0-9a-fA-F:.]+", re.ASCII)
_ORIGIN = re.compile(r"https?://([\w.-]+|\[[0-9a-fA-F:.]+\])(:\d{1,5})?", re.ASCII)
_HostName = Annotated[
    str, Must("names or addresses without a port, or '*'", lambda name: _HOST.fullmatch(name) is not None)
]
_Origin = Annotated[
    str, Must("SCHEME://NAME[:PORT] without a path", lambda origin: _ORIGIN.fullmatch(origin) is not None)
]


class RequestLimitsConfig(Settings):
    """What one request may ask for, and how many there may be.

    `upload_mib` and `upload_s` bound a request's body, `pixels` one image of it. `requests_per_second` is that of one
    client address, which may save up a second of them; null sets no limit. `concurrent` counts requests that are being
    received, wait or are read, `uploads_mib` what they hold together. So many `connections` may be
    open, whether or not something is asked; one whose client keeps the server waiting is closed after `stalled_s`.
    """

    upload_mib: Positive
    upload_s: Positive
    images_per_request: Count
    pixels: Annotated[Whole, Field(ge=1, le=MAX_PIXELS)]
    requests_per_second: Positive | None
    concurrent: Count
    uploads_mib: Positive
    connections: Count
    stalled_s: Positive

    @model_validator(mode="after")
    def _one_upload_has_room(self) -> "RequestLimitsConfig":
        if self.uploads_mib < self.upload_mib:
            raise InputError(f"uploads_mib must be at least limits.upload_mib, not {self.uploads_mib}.")
        return self


class ServingConfig(Rooted):
    """One server, whole.

    `model` is an address in the store, the folder of a saved model, or an ONNX file; of an alias the store is asked
    every `reload_s` seconds where it points. `threads` null computes on every core. `examples` is a folder of images
    that the page offers to try; null renders some. `allowed_hosts` are names of the server besides its address and
    those of loopback, `*` is any; `allowed_origins` are web pages' origins that may use it besides its own.
    """

    tracking: TrackingConfig
    limits: RequestLimitsConfig
    model: ModelAddress
    host: Annotated[str, Must("an address of this machine", bool)]
    port: Annotated[Whole, Field(ge=0, le=_MAX_PORT)]
    allowed_hosts: list[_HostName]
    allowed_origins: list[_Origin]
    reload_s: Positive
    threads: Count | None
    examples: str | None

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
    """Limits of one request, and of all requests together.

    `upload_mib` and `upload_s` limit a request's body, `pixels` one of its images. `requests_per_second` is the rate
    of one client address, with bursts of one second's worth; null sets no limit. `concurrent` limits the requests in
    progress (received, waiting or read), and `uploads_mib` all their bodies together. At most `connections` may be
    open, idle ones too. If a client keeps the server waiting for `stalled_s` seconds, its connection is closed.
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
    """One server.

    `model` is an address in the store, the folder of a saved model, or an ONNX file. If it is an alias, the server
    looks every `reload_s` seconds where it points. `threads` null uses every core. `examples` is a folder of images
    that users of the page can try; null renders some. `allowed_hosts` are further names of the server, besides its
    address and loopback; `*` is any. `allowed_origins` are origins of other web pages that may use it.
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

"""How a model is served."""

import re
from typing import Annotated

from pydantic import Field, model_validator

from captcha_exp.config.fields import MAX_PORT, Count, ModelAddress, Must, Positive, Rooted, Settings, Whole
from captcha_exp.config.schema.training import TrackingConfig
from captcha_exp.errors import InputError
from captcha_exp.reader.image_formats import MAX_PIXELS

_HOST = re.compile(r"\*|[\w.-]+|[0-9a-fA-F:.]+", re.ASCII)
_ORIGIN = re.compile(r"https?://([\w.-]+|\[[0-9a-fA-F:.]+\])(:\d{1,5})?", re.ASCII)
_HostName = Annotated[
    str, Must("names or addresses without a port, or '*'", lambda name: _HOST.fullmatch(name) is not None)
]
_Origin = Annotated[
    str, Must("SCHEME://NAME[:PORT] without a path", lambda origin: _ORIGIN.fullmatch(origin) is not None)
]


class RequestLimitsConfig(Settings):
    """Limits of one request, and of all requests together."""

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
    """One server; `conf/serve.yaml` explains the keys."""

    tracking: TrackingConfig
    limits: RequestLimitsConfig
    model: ModelAddress
    host: Annotated[str, Must("an address of this machine", bool)]
    port: Annotated[Whole, Field(ge=0, le=MAX_PORT)]
    allowed_hosts: list[_HostName]
    allowed_origins: list[_Origin]
    reload_s: Positive
    threads: Count | None
    examples: str | None

"""How a model is served."""

from dataclasses import dataclass
from pathlib import Path

from omegaconf import MISSING

from captcha_exp.config.schema.training import TrackingConfig


@dataclass
class RequestLimitsConfig:
    """What one request may ask for, and how many there may be.

    `upload_mib` and `upload_s` bound a request's body, `pixels` one image of it. `requests_per_second` is that of one
    client address, which may save up a second of them; null sets no limit. `concurrent` counts requests that are being
    received, wait or are read, `uploads_mib` what they hold together. So many `connections` may be
    open, whether or not something is asked; one whose client keeps the server waiting is closed after `stalled_s`.
    """

    upload_mib: float = MISSING
    upload_s: float = MISSING
    images_per_request: int = MISSING
    pixels: int = MISSING
    requests_per_second: float | None = MISSING
    concurrent: int = MISSING
    uploads_mib: float = MISSING
    connections: int = MISSING
    stalled_s: float = MISSING


@dataclass
class ServingConfig:
    """One server, whole.

    `model` is an address in the store, the folder of a saved model, or an ONNX file; of an alias the store is asked
    every `reload_s` seconds where it points. `threads` null computes on every core. `examples` is a folder of images
    that the page offers to try; null renders some. `allowed_hosts` are names of the server besides its address and
    those of loopback, `*` is any; `allowed_origins` are web pages' origins that may use it besides its own.
    """

    root: str
    tracking: TrackingConfig
    limits: RequestLimitsConfig
    model: str = MISSING
    host: str = MISSING
    port: int = MISSING
    allowed_hosts: list[str] = MISSING
    allowed_origins: list[str] = MISSING
    reload_s: float = MISSING
    threads: int | None = MISSING
    examples: str | None = MISSING

    @property
    def root_path(self) -> Path:
        return Path(self.root).expanduser().resolve()

"""The configuration of the server."""

import math
import re

from omegaconf import DictConfig

from captcha_exp.config.schema.serving import RequestLimitsConfig, ServingConfig
from captcha_exp.config.typed import require, typed

_MAX_PORT = 65535
_HOST = re.compile(r"\*|[\w.-]+|[0-9a-fA-F:.]+", re.ASCII)
_ORIGIN = re.compile(r"https?://([\w.-]+|\[[0-9a-fA-F:.]+\])(:\d{1,5})?", re.ASCII)
_MAX_PIXELS = 2**24  # as image.MAX_PIXELS, which this layer cannot import


def load_serving(composed: DictConfig) -> ServingConfig:
    """Turn what Hydra composed into typed dataclasses.

    Raises:
        InputError: a key is unknown or missing, or a value is of the wrong type or out of range.
    """
    config = typed(ServingConfig, composed)
    require(bool(config.model), "model", "an address, a folder or an ONNX file", config.model)
    require(bool(config.host), "host", "an address of this machine", config.host)
    require(0 <= config.port <= _MAX_PORT, "port", f"from 0 to {_MAX_PORT}", config.port)
    for name in config.allowed_hosts:
        require(bool(_HOST.fullmatch(name)), "allowed_hosts", "names or addresses without a port, or '*'", name)
    for origin in config.allowed_origins:
        require(bool(_ORIGIN.fullmatch(origin)), "allowed_origins", "SCHEME://NAME[:PORT] without a path", origin)
    require(_positive(config.reload_s), "reload_s", "above 0", config.reload_s)
    require(config.threads is None or config.threads > 0, "threads", "null or at least 1", config.threads)
    _check_limits(config.limits)
    return config


def _check_limits(limits: RequestLimitsConfig) -> None:
    for key in ("upload_mib", "upload_s", "uploads_mib", "stalled_s"):
        require(_positive(getattr(limits, key)), f"limits.{key}", "above 0", getattr(limits, key))
    for key in ("images_per_request", "concurrent", "connections"):
        require(getattr(limits, key) > 0, f"limits.{key}", "at least 1", getattr(limits, key))
    require(0 < limits.pixels <= _MAX_PIXELS, "limits.pixels", f"from 1 to {_MAX_PIXELS}", limits.pixels)
    together = limits.uploads_mib
    require(together >= limits.upload_mib, "limits.uploads_mib", "at least limits.upload_mib", together)
    rate = limits.requests_per_second
    require(rate is None or _positive(rate), "limits.requests_per_second", "null or above 0", rate)


def _positive(value: float) -> bool:
    return math.isfinite(value) and value > 0

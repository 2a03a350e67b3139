"""The configuration of the predict command."""

from omegaconf import DictConfig

from captcha_exp.config.schema.predict import PredictConfig
from captcha_exp.config.typed import require, typed


def load_predict(composed: DictConfig) -> PredictConfig:
    """Turn what Hydra composed into typed dataclasses.

    Raises:
        InputError: a key is unknown or missing, or a value is of the wrong type or out of range.
    """
    config = typed(PredictConfig, composed)
    require(bool(config.model), "model", "an address, a folder or an ONNX file", config.model)
    require(config.alternatives >= 0, "alternatives", "at least 0", config.alternatives)
    require(config.threads is None or config.threads > 0, "threads", "null or at least 1", config.threads)
    for key in ("pattern", "alphabet", "lexicon"):
        require(getattr(config, key) != "", key, "null or not empty", "")
    for key in ("min_length", "max_length"):
        value = getattr(config, key)
        require(value is None or value >= 0, key, "null or at least 0", value)
    return config

"""The configuration of the report command."""

from omegaconf import DictConfig, OmegaConf

from captcha_exp.config.schema.report import ReportCommandConfig
from captcha_exp.config.typed import typed
from captcha_exp.errors import InputError

_MOST_CURVES = 6  # that can be told apart by their colours


def load_report_config(composed: DictConfig) -> ReportCommandConfig:
    """Turn what Hydra composed into typed dataclasses.

    Raises:
        InputError: a key is unknown or missing, or a value cannot be used.
    """
    if OmegaConf.is_missing(composed.report, "sweep"):
        raise InputError("sweep is missing; set `sweep=NAME`, or for several `'sweep=[NAME,NAME]'`.")
    config = typed(ReportCommandConfig, composed)
    report = config.report
    if not report.sweeps or any(name in ("", "None") for name in report.sweeps):
        raise InputError(f"sweep must be a name or a list of names, not {report.sweep!r}.")
    if not 1 <= report.curves <= _MOST_CURVES:
        raise InputError(f"report.curves must be from 1 to {_MOST_CURVES}, not {report.curves}.")
    if report.images < 0:
        raise InputError(f"report.images must be at least 0, not {report.images}.")
    return config

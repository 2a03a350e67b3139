"""The configuration of the report command."""

from typing import cast

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

from captcha_exp.config.schema.report import ReportCommandConfig
from captcha_exp.errors import InputError

_MOST_CURVES = 6  # that can be told apart by their colours


def load_report_config(composed: DictConfig) -> ReportCommandConfig:
    """Turn what Hydra composed into typed dataclasses.

    Raises:
        InputError: a key is unknown or missing, or a value cannot be used.
    """
    if OmegaConf.is_missing(composed.report, "sweep"):
        raise InputError("sweep is missing; set `sweep=NAME`, or for several `'sweep=[NAME,NAME]'`.")
    try:
        merged = OmegaConf.merge(OmegaConf.structured(ReportCommandConfig), composed)
        config = cast(ReportCommandConfig, OmegaConf.to_object(merged))
    except MissingMandatoryValue as error:
        raise InputError(f"{error.full_key} is missing; set `{error.full_key}=...`.") from error
    except OmegaConfBaseException as error:
        raise InputError(f"{error.full_key}: {str(error).splitlines()[0].rstrip('.')}.") from error
    report = config.report
    if not report.sweeps or any(name in ("", "None") for name in report.sweeps):
        raise InputError(f"sweep must be a name or a list of names, not {report.sweep!r}.")
    if not 1 <= report.curves <= _MOST_CURVES:
        raise InputError(f"report.curves must be from 1 to {_MOST_CURVES}, not {report.curves}.")
    if report.images < 0:
        raise InputError(f"report.images must be at least 0, not {report.images}.")
    return config

"""The configuration of a report."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from captcha_exp.config.fields import Must, NotNegativeWhole, Rooted, Settings, TypedAs, Whole
from captcha_exp.config.schema.training import TrackingConfig

_MOST_CURVES = 6  # more could not be distinguished by colour


def _each_once(names: Any) -> list[Any]:
    return list(dict.fromkeys(map(str, names if isinstance(names, list) else [names])))


def _are_names(names: list[str]) -> bool:
    return bool(names) and not {"", "None"} & set(names)


_SweepNames = Annotated[
    list[str],
    BeforeValidator(_each_once),
    Must("a name or a list of names", _are_names),
    TypedAs("sweep", "`sweep=NAME`, or for several `'sweep=[NAME,NAME]'`"),
]


class ReportConfig(Settings):
    """Which sweeps, and how much of them; `conf/report.yaml` explains the keys."""

    sweep: _SweepNames
    storage: Annotated[str | None, Field(repr=False)]
    output: str | None
    curves: Annotated[Whole, Field(ge=1, le=_MOST_CURVES)]
    images: NotNegativeWhole


class ReportCommandConfig(Rooted):
    """Everything that `captcha-exp report` takes."""

    tracking: TrackingConfig
    report: ReportConfig

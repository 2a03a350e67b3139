"""What a report is about."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omegaconf import MISSING

from captcha_exp.config.schema.training import TrackingConfig


@dataclass
class ReportConfig:
    """`sweep` is a name or a list of names, on the command line also `sweep=NAME`. `storage` is their `sweep.storage`.

    `output` null puts the page where the sweep's other results are. `curves` of the best trials and `images` that the
    best one got wrong are shown, at most.
    """

    sweep: Any = MISSING
    storage: str | None = field(default=MISSING, repr=False)
    output: str | None = MISSING
    curves: int = MISSING
    images: int = MISSING

    @property
    def sweeps(self) -> list[str]:
        """The names, each once."""
        listed = self.sweep if isinstance(self.sweep, list) else [self.sweep]
        return list(dict.fromkeys(str(name) for name in listed))


@dataclass
class ReportCommandConfig:
    """Everything that `python -m captcha_exp.report` takes."""

    root: str
    tracking: TrackingConfig
    report: ReportConfig

    @property
    def root_path(self) -> Path:
        return Path(self.root).expanduser().resolve()

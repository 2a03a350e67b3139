"""The real sweeper without images, tracking or (unless REPORT is set) a report: a whole sweep takes seconds."""

import os
from dataclasses import dataclass
from typing import Any

from hydra.core.config_store import ConfigStore

from hydra_plugins.captcha_exp_sweeper.sweeper import CaptchaExpSweeper


@dataclass
class BareSweeperConf:
    _target_: str = "hydra_plugins.bare_sweeper.sweeper.BareSweeper"


ConfigStore.instance().store(group="hydra/sweeper", name="bare", node=BareSweeperConf, provider="tests")


class BareSweeper(CaptchaExpSweeper):
    def prepare_data(self, plan: Any) -> dict[str, str]:
        return {}

    def open_record(self, config: Any, study_key: str, alone: Any) -> None:
        return None

    def write_report(self, config: Any, progress: Any) -> Any:
        return super().write_report(config, progress) if "REPORT" in os.environ else None

"""Hydra's `hydra/sweeper=captcha_exp`: joins a sweep with the data and the store of its trials."""

import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

# Hydra imports this module at each start, even for --help. So heavy modules are imported in sweep().
if TYPE_CHECKING:
    from pathlib import Path

    from captcha_exp.config import Config
    from captcha_exp.dataset import PreparedDataset
    from captcha_exp.sweep import SweepPlan, SweepRecord
    from captcha_exp.sweep.live_page import Progress
    from captcha_exp.tracking.trial_runs import ReadRun


@dataclass
class CaptchaExpSweeperConf:
    """The configuration behind `hydra/sweeper=captcha_exp`. All settings are in the `sweep` group."""

    _target_: str = "hydra_plugins.captcha_exp_sweeper.sweeper.CaptchaExpSweeper"


ConfigStore.instance().store(
    group="hydra/sweeper", name="captcha_exp", node=CaptchaExpSweeperConf, provider="captcha_exp"
)


class CaptchaExpSweeper(Sweeper):
    """Runs as the supervisor that the user started, or as one of its workers."""

    hydra_context: HydraContext
    config: DictConfig
    _dataset: "PreparedDataset | None" = None

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.hydra_context, self.task_function, self.config = hydra_context, task_function, config

    def sweep(self, arguments: list[str]) -> None:
        """Sweep, then exit with the exit code.

        Raises:
            InputError: the user can fix the error.
            SystemExit: always; the code is 0 only if a trial finished.
        """
        from captcha_exp.config import load_config
        from captcha_exp.config.keras_backend import check_keras_backend
        from captcha_exp.sweep import Worker, WorkerOrder, plan_sweep, run_sweep
        from captcha_exp.sweep.computed_values import fix_computed_values

        check_keras_backend()
        fixed = fix_computed_values(self.config)
        arguments = [*arguments, *fixed]
        config = load_config(without_hydra(self.config))
        choices = {str(group): str(option) for group, option in self.config.hydra.runtime.choices.items()}
        parser = OverridesParser.create(config_loader=self.hydra_context.config_loader)
        plan = plan_sweep(config, arguments, parser, choices, self._compose)
        order = WorkerOrder.from_environment()
        if order is not None:
            raise SystemExit(Worker(plan, order, self._launcher(plan)).run())
        data = self.prepare_data(plan)
        open_record, write_report = partial(self.open_record, config), partial(self.write_report, config)
        find_runs = partial(self.find_runs, config)
        raise SystemExit(run_sweep(plan, data, open_record, write_report, find_runs, fixed))

    def prepare_data(self, plan: "SweepPlan") -> dict[str, str]:
        """Prepare the dataset once for all workers. Returns what identifies its content.

        Says so if its validation images are too few to compare trials.
        """
        from captcha_exp.dataset import prepare_dataset
        from captcha_exp.experiment.whole_run import few_validation_images

        if any(parameter.key == "dataset" for parameter in plan.space.parameters):
            return {}  # the dataset differs between trials
        prepared = prepare_dataset(plan.config.dataset, plan.config.root_path)
        few = few_validation_images(plan.config, prepared)
        if few is not None:
            logging.getLogger("captcha_exp.sweep").info(few)
        self._dataset = prepared
        return {"the content of dataset": prepared.fingerprint}

    def open_record(self, config: "Config", study_key: str, alone: AbstractContextManager[Any]) -> "SweepRecord | None":
        """The sweep's own run in the tracking store. `alone` keeps other supervisors out while it is made."""
        from captcha_exp.experiment.run_inputs import log_inputs
        from captcha_exp.tracking import open_keeping_store
        from captcha_exp.tracking.sweep_run import SweepRun

        store = open_keeping_store(config.tracking, config.root_path, wait=False)
        inputs = None if self._dataset is None else partial(log_inputs, dataset=self._dataset)
        with alone:
            record = SweepRun.start_or_resume(store, str(config.sweep.name), study_key, {})
            record.log_search(config.sweep, inputs)
        return record

    def find_runs(self, config: "Config", source: str) -> "list[ReadRun]":
        """The finished runs that an entry of `sweep.warm_start` names, in the store of this sweep's runs."""
        from captcha_exp.tracking import open_store
        from captcha_exp.tracking.found_runs import find_runs

        return find_runs(open_store(config.tracking, config.root_path), source)

    def write_report(self, config: "Config", progress: "Progress | None") -> "Path | None":
        """Write the report of the sweep, with the defaults of the report command; or its progress while it runs."""
        from hydra.types import RunMode

        from captcha_exp.config import ReportCommandConfig, load
        from captcha_exp.report.report_page import write_progress, write_report

        if progress is not None:
            return write_progress(progress)
        loader = self.hydra_context.config_loader
        composed = loader.load_configuration("report", ["report.sweep=null"], RunMode.RUN)
        with open_dict(composed):
            composed.root, composed.tracking = config.root, self.config.tracking
            composed.report.sweep, composed.report.storage = config.sweep.name, config.sweep.storage
        return write_report(load(ReportCommandConfig, without_hydra(composed)))

    def _compose(self, overrides: Sequence[str]) -> "Config":
        from captcha_exp.config import load_config

        composed = self.hydra_context.config_loader.load_sweep_config(self.config, list(overrides))
        return load_config(without_hydra(composed))

    def _launcher(self, plan: "SweepPlan") -> Any:
        """A function that runs a job with given overrides through the configured launcher, and returns its result."""
        from hydra.core.plugins import Plugins

        with read_write(self.config), open_dict(self.config):
            # Hydra neither expands `~` nor knows `root`, so its folders would be in the wrong place.
            self.config.hydra.sweep.dir = str(plan.folder)
        launcher: Launcher = Plugins.instance().instantiate_launcher(
            hydra_context=self.hydra_context, task_function=self.task_function, config=self.config
        )
        return lambda overrides, number: launcher.launch([overrides], initial_job_idx=number)[0].return_value


def without_hydra(composed: DictConfig) -> DictConfig:
    """A composed configuration without Hydra's own part."""
    return OmegaConf.masked_copy(composed, [str(key) for key in composed if key != "hydra"])

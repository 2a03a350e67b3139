"""The command that writes the report of a sweep."""

import sys
from collections.abc import Sequence

from omegaconf import DictConfig

from captcha_exp.command_line import hydra_command
from captcha_exp.terminal import say


def main() -> int:
    """Write the page of the sweep that the command line names: `sweep=NAME`, or `'sweep=[NAME,NAME]'`."""
    return hydra_command(_report, "report", with_report_key(sys.argv[1:]))


def with_report_key(arguments: Sequence[str]) -> list[str]:
    """Write `sweep=NAME` as `report.sweep=NAME`. Hydra would take `sweep` for the config group `sweep`."""
    return [f"report.{argument}" if argument.startswith("sweep=") else argument for argument in arguments]


def _report(composed: DictConfig) -> None:
    from captcha_exp.config import ReportCommandConfig, load

    config = load(ReportCommandConfig, composed)
    # After the checks: a mistyped key must not wait for MLflow, Optuna and Matplotlib.
    from captcha_exp.report.report_page import write_report

    say(f"report: {write_report(config)}")


if __name__ == "__main__":
    sys.exit(main())

"""The command that judges a model on one split of a dataset."""

import sys
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from captcha_exp.command_line import hydra_command
from captcha_exp.terminal import say

if TYPE_CHECKING:
    from captcha_exp.config import EvaluateCommandConfig


def main() -> int:
    """Judge the model that the command line names, e.g. `model=runs:/RUN/model dataset=folder dataset.path=DIR`."""
    return hydra_command(_evaluate, "evaluate", sys.argv[1:])


def _evaluate(composed: DictConfig) -> None:
    from captcha_exp.config import EvaluateCommandConfig, load
    from captcha_exp.evaluate.assess_model import assess_model

    config = as_one_test_split(load(EvaluateCommandConfig, composed))
    for line in assess_model(config, config):
        say(line)


def as_one_test_split(config: "EvaluateCommandConfig") -> "EvaluateCommandConfig":
    """The same command with `split=all` written out: all images of the dataset are test images."""
    from captcha_exp.config import SplitName

    if config.split is not SplitName.all:
        return config
    dataset = config.dataset.model_copy(update={"test_fraction": 1.0})
    return config.model_copy(update={"split": SplitName.test, "dataset": dataset})


if __name__ == "__main__":
    sys.exit(main())

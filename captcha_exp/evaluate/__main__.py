"""The command that judges a model on one split of a dataset."""

import sys

from omegaconf import DictConfig

from captcha_exp.command_line import hydra_command
from captcha_exp.terminal import say


def main() -> int:
    """Judge the model that the command line names, e.g. `model=runs:/RUN/model dataset=folder dataset.path=DIR`."""
    return hydra_command(_evaluate, "evaluate", sys.argv[1:])


def _evaluate(composed: DictConfig) -> None:
    from captcha_exp.config import EvaluateCommandConfig, load
    from captcha_exp.evaluate.assess_model import assess_model

    config = load(EvaluateCommandConfig, composed)
    for line in assess_model(config, config):
        say(line)


if __name__ == "__main__":
    sys.exit(main())

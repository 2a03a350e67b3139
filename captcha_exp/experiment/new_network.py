"""Builds the network of a run, and says what it starts from."""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from captcha_exp.config import Config, CustomCnnConfig, CustomTransformerConfig, time_steps
from captcha_exp.evaluate.seen_images import SeenImages
from captcha_exp.terminal import quiet_stderr
from captcha_exp.tracking import TrackedRun, check_readable

if TYPE_CHECKING:
    import keras

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class NewNetwork:
    """A network before its training: float32 (B, H, W, C) to logits (B, T, K).

    `is_pretrained` tells whether its weights come from another training. `seen_before` are the images of
    that training.
    """

    model: "keras.Model"
    is_pretrained: bool
    seen_before: SeenImages


def build_network(config: Config, characters: str, run: TrackedRun) -> NewNetwork:
    """Build the network that `config` describes, with the weights of `training.initial_model` if that is set.

    Raises:
        InputError: the network could not be loaded again, or does not fit the initial model.
    """
    from captcha_exp.model.configured import build_configured
    from captcha_exp.training import configure_threads

    configure_threads(config.training.threads)
    model = build_configured(config, len(characters) + 1)
    if config.tracking.log_model:
        _check_readable(model, config)
    seen = SeenImages.none()
    if config.training.initial_model is not None:
        seen = _start_from_trained(model, config, characters, run)
    steps, classes = time_steps(config), len(characters) + 1
    _log.info("model: %s parameters, %d time steps, %d classes", f"{model.count_params():,}", steps, classes)
    return NewNetwork(model, config.training.initial_model is not None, seen)


def _check_readable(model: "keras.Model", config: Config) -> None:
    """Check now, and not after hours of training, that the model to be saved can be loaded."""
    from captcha_exp.model.voters import build_voters

    builders, training = _own_builders(config), config.training
    with quiet_stderr(config.root_path):
        if training.votes:
            voters = build_voters(model, [model.get_weights()] * training.members)
            check_readable(voters, f"{builders} training.members={training.members}".strip())
        elif builders:  # a network of the shipped parts can be loaded
            check_readable(model, builders)


def _own_builders(config: Config) -> str:
    """The parts of the network that the user programmed, as the user typed them; empty if there are none."""
    cnn, transformer = config.cnn, config.transformer
    named = [f"cnn.builder={cnn.builder}"] if isinstance(cnn, CustomCnnConfig) else []
    if isinstance(transformer, CustomTransformerConfig):
        named.append(f"transformer.builder={transformer.builder}")
    return " ".join(named)


def _start_from_trained(model: "keras.Model", config: Config, characters: str, run: TrackedRun) -> SeenImages:
    from captcha_exp.experiment.initial_model import start_from

    with quiet_stderr(config.root_path):
        start = start_from(model, characters, config, run.store_uri)
    run.set_tags({"initial_model": start.address})
    _log.info(start.told)
    return start.seen

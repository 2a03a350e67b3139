"""The network and the start that a training on real images takes unless its command line chooses others."""

from collections.abc import Sequence

# What these datasets render, a small network reads from random weights.
_RENDERED = {"synthetic", "styled"}
_REAL_IMAGES = "+experiment=pretrained"
# Whoever names one of these has chosen a network or a start, or whole configurations. `dataset.channels` belongs to the
# network as well: its first layer has as many.
_CHOICES = {"experiment", "sweep", "cnn", "transformer", "training", "dataset.channels", "--config-name", "-cn"}
_GROUPS_OF_CHOICES = ("cnn.", "transformer.")


def with_pretrained_network(arguments: Sequence[str]) -> list[str]:
    """Train on images that are not rendered here from the shipped weights, unless the command chooses otherwise."""
    values = dict(argument.lstrip("+~").partition("=")[::2] for argument in arguments)
    chosen = any(key in _CHOICES or key.startswith(_GROUPS_OF_CHOICES) for key in values)
    if chosen or set(values.get("dataset", "synthetic").split(",")) <= _RENDERED:
        return list(arguments)
    return beside("dataset=", arguments, _REAL_IMAGES)


def beside(start: str, arguments: Sequence[str], added: str) -> list[str]:
    """The arguments with one more beside the first that begins with `start`, if there is one.

    Python's argument parser refuses values both before and after an option.
    """
    at = next((at for at, argument in enumerate(arguments) if argument.startswith(start)), None)
    return list(arguments) if at is None else [*arguments[:at], added, *arguments[at:]]

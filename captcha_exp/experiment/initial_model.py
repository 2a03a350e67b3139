"""The trained model that another training starts from."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from captcha_exp.config import Config, StyledConfig, flatten, to_plain
from captcha_exp.config.earlier import brought_up_to_date
from captcha_exp.errors import InputError
from captcha_exp.evaluate.seen_images import SeenImages
from captcha_exp.experiment.shipped_start import SHIPPED, ShippedStart, shipped_start
from captcha_exp.model import adopt_weights
from captcha_exp.tracking import LoadedRecogniser, load_recogniser

if TYPE_CHECKING:
    import keras

_ARCHITECTURE = ("cnn.", "transformer.")
# These keys may differ, because no weight's shape or meaning depends on them.
_FREE = {"cnn.dropout", "cnn.norm_momentum", "transformer.dropout"}


@dataclass(frozen=True)
class Start:
    """Where a training starts.

    `address` names the initial model for good: an alias may point at another model tomorrow. `told` says for people
    what it is. `seen` are the images that it has learnt from, and those that chose its weights.
    """

    address: str
    told: str
    seen: SeenImages


def start_from(model: "keras.Model", characters: str, config: Config, tracking_uri: str) -> Start:
    """Copy the weights of `training.initial_model` into a new model.

    Raises:
        InputError: the store has no such model, or its architecture differs.
    """
    uri = str(config.training.initial_model)
    source = shipped_start() if uri == SHIPPED else load_recogniser(uri, tracking_uri)
    _check_is_one(source.config, uri)
    here, there = _architecture(to_plain(config)), _architecture(brought_up_to_date(source.config))
    different = [key for key in {**there, **here} if here.get(key) != there.get(key)]
    if different:
        needed = " ".join(f"{key}={_typed(there[key])}" for key in different if key in there)
        raise InputError(
            f"training.initial_model={uri} has another architecture: {', '.join(different)} "
            f"{'differs' if len(different) == 1 else 'differ'}. Set {needed or 'the same choices'}."
        )
    shared = adopt_weights(model, characters, source.model, source.characters)
    return _start(source, config, f"{len(shared)} of the {len(characters)} characters")


def _start(source: ShippedStart | LoadedRecogniser, config: Config, known: str) -> Start:
    if isinstance(source, LoadedRecogniser):
        address = f"models:/{source.model_id}"
        return Start(
            address,
            f"starts from the weights of {address}",
            SeenImages(source.training_images, source.validation_images),
        )
    told = (
        f"starts from the shipped weights ({source.digest[:12]}), which have learnt from {source.images:,} rendered "
        f"images and know {known}; training.initial_model=null starts from random ones"
    )
    # It has learnt from rendered images alone, which no other source of images can hold.
    seen = SeenImages(None, None) if isinstance(config.dataset, StyledConfig) else SeenImages.none()
    return Start(f"{SHIPPED}:{source.digest}", told, seen)


def _check_is_one(config: dict[str, Any], uri: str) -> None:
    training = brought_up_to_date(config).get("training", {})
    if training.get("members", 1) > 1 and training["combine"] == "vote":
        raise InputError(
            f"training.initial_model={uri} is {training['members']} networks that vote, and a training starts from "
            "one; take a model that was trained with training.members=1 or training.combine=average."
        )


def _typed(value: Any) -> str:
    """A value as a user types it after a key."""
    return "null" if value is None else str(value).replace(" ", "")


def _architecture(config: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in flatten(config).items() if key.startswith(_ARCHITECTURE) and key not in _FREE}

"""The trained model that another training starts from."""

from typing import TYPE_CHECKING, Any

from captcha_exp.config import Config, flatten, to_plain
from captcha_exp.config.earlier import brought_up_to_date
from captcha_exp.errors import InputError
from captcha_exp.model import adopt_weights
from captcha_exp.tracking import LoadedRecogniser, load_recogniser

if TYPE_CHECKING:
    import keras

_ARCHITECTURE = ("cnn.", "transformer.", "dataset.image_height", "dataset.image_width", "dataset.channels")
# These keys may differ, because no weight's shape or meaning depends on them.
_FREE = {"cnn.dropout", "cnn.norm_momentum", "transformer.dropout"}


def start_from(model: "keras.Model", characters: str, config: Config, tracking_uri: str) -> LoadedRecogniser:
    """Copy the weights of `training.initial_model` into a new model, and return the initial model.

    Raises:
        InputError: the store has no such model, or its architecture differs.
    """
    uri = str(config.training.initial_model)
    source = load_recogniser(uri, tracking_uri)
    here, there = _architecture(to_plain(config)), _architecture(brought_up_to_date(source.config))
    different = [key for key in {**there, **here} if here.get(key) != there.get(key)]
    if different:
        needed = " ".join(f"{key}={_typed(there[key])}" for key in different if key in there)
        raise InputError(
            f"training.initial_model={uri} has another architecture: {', '.join(different)} "
            f"{'differs' if len(different) == 1 else 'differ'}. Set {needed or 'the same choices'}."
        )
    adopt_weights(model, characters, source.model, source.characters)
    return source


def _typed(value: Any) -> str:
    """A value as a user types it after a key."""
    return "null" if value is None else str(value).replace(" ", "")


def _architecture(config: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in flatten(config).items() if key.startswith(_ARCHITECTURE) and key not in _FREE}

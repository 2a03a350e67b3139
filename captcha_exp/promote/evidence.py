"""Checks what the registry says about a model against the run and the model's own files.

Anybody who may write to the registry can change tags and aliases there, even without access to the runs.
"""

import hashlib
import json
import logging
import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from captcha_exp.errors import InputError
from captcha_exp.tracking import LoadedRecogniser, Registry, Store, Version, load_recogniser

_log = logging.getLogger(__name__)
_SHOWN = 60
_PLACE = "path"  # the place of the data, which does not matter for its content


def load_challenger(store: Store, run_id: str) -> LoadedRecogniser:
    """Load the model that a run made, from the same place as a registered version of it.

    `runs:/RUN/model` would also include files that lie there among the run's own artifacts.

    Raises:
        InputError: the run has no model, or the files belong to another model or another division of the data.
    """
    run = store.record(run_id)
    made = [] if run is None or run.outputs is None else run.outputs.model_outputs
    if run is None or not made:
        raise InputError(f"run={run_id} has no model, so there is nothing to promote.")
    loaded = load_recogniser(f"models:/{made[-1].model_id}", store.uri)
    _check_identity(f"The model of run {run_id}", loaded, made[-1].model_id, run_id)
    logged = {"fingerprint": run.data.tags.get("dataset.fingerprint"), **_division(_logged_config(store, run_id))}
    told = {"fingerprint": loaded.dataset["fingerprint"], **_division(loaded.config)}
    for key, value in logged.items():
        if value is not None and told.get(key) != value:
            raise InputError(
                f"The model of run {run_id} says that its dataset.{key} was {_shown(told.get(key))}, but the run "
                f"logged {_shown(value)}: one was changed, so nobody knows its test images. Train it again."
            )
    return loaded


def load_version(store: Store, registry: Registry, number: str) -> LoadedRecogniser:
    """Load the model of a version. If its tags differ from run and model, that is logged but changes nothing.

    Raises:
        InputError: the version does not exist, or its model cannot be loaded or is not the registered one.
    """
    version = registry.find_version(number)
    if version is None:
        raise InputError(f"Version {number} of {registry.name} does not exist, so it cannot be champion.")
    loaded = load_recogniser(f"models:/{registry.name}/{number}", store.uri)
    if version.model_id.startswith("m-"):  # otherwise it is a copy of a version of another registered model
        _check_identity(f"Version {number} of {registry.name}", loaded, version.model_id, version.run_id)
    for line in _contradictions(store, version, loaded):
        _log.info("version %s was changed by hand: %s; the tag decides nothing", number, line)
    return loaded


def config_digest(config: Mapping[str, Any]) -> str:
    """A digest that identifies a configuration."""
    return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[:16]


def _check_identity(what: str, loaded: LoadedRecogniser, model_id: str, run_id: str) -> None:
    if (loaded.model_id, loaded.run_id) != (model_id, run_id):
        raise InputError(
            f"{what} is kept as {model_id} of run {run_id}, but its files say {_shown(loaded.model_id)} of run "
            f"{_shown(loaded.run_id)}: they are another model's. Train it again, or register the right one."
        )


def _logged_config(store: Store, run_id: str) -> Mapping[str, Any]:
    with suppress(InputError):  # the run has no configuration
        return store.logged_config(run_id)
    return {}


def _division(config: Mapping[str, Any]) -> dict[str, Any]:
    """The keys that decide which images are test images."""
    dataset = config.get("dataset")
    return {key: value for key, value in dataset.items() if key != _PLACE} if isinstance(dataset, Mapping) else {}


def _contradictions(store: Store, version: Version, loaded: LoadedRecogniser) -> Iterator[str]:
    facts = {
        "run": version.run_id,
        "dataset.fingerprint": loaded.dataset["fingerprint"],
        "config.digest": config_digest(loaded.config),
    }
    for key, value in facts.items():
        if version.tags.get(key, value) != value:
            yield f"its tag {key} is {_shown(version.tags[key])}, its model says {_shown(value)}"
    for key, value in version.tags.items():
        if key.startswith("test/"):
            measured = store.measured(version.run_id, key)
            if measured is not None and not any(_equal(value, figure) for figure in measured):
                yield f"its tag {_shown(key)} is {_shown(value)}, which its run never measured"


def _equal(tag: str, figure: float) -> bool:
    try:
        return math.isclose(float(tag), figure, rel_tol=1e-5, abs_tol=1e-9)
    except ValueError:
        return False


def _shown(value: Any) -> str:
    return repr(str(value)[:_SHOWN])

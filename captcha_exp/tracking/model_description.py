"""What a store knows about a model: its registered version and its test metrics."""

from dataclasses import dataclass
from pathlib import Path

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from captcha_exp.tracking.address import registered
from captcha_exp.tracking.model_folder import read_mlmodel

_TEST = "test/"


@dataclass(frozen=True)
class ModelDescription:
    """A model's test metrics, and its registered `version` as `NAME/VERSION` (None if it is not registered)."""

    version: str | None
    figures: dict[str, float]


def describe_model(folder: Path, model_uri: str, tracking_uri: str) -> ModelDescription:
    """Look up a model whose folder was found under `model_uri`.

    A folder on disk can belong to another store, or to none. Then nothing is known about it.
    """
    if Path(model_uri) == folder:
        return ModelDescription(None, {})
    client = MlflowClient(tracking_uri, tracking_uri)
    run_id = read_mlmodel(folder, f"model={model_uri}").run_id
    try:
        metrics = client.get_run(run_id).data.metrics if isinstance(run_id, str) and run_id else {}
    except MlflowException:  # the run was deleted, but its model was not
        metrics = {}
    figures = {name.removeprefix(_TEST): value for name, value in metrics.items() if name.startswith(_TEST)}
    return ModelDescription(_version(client, model_uri), figures)


def _version(client: MlflowClient, model_uri: str) -> str | None:
    named = registered(model_uri)
    return None if named is None else f"{named.name}/{named.number(client)}"

"""What a store knows of a model besides the model itself."""

from dataclasses import dataclass
from pathlib import Path

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from captcha_exp.tracking.address import registered
from captcha_exp.tracking.model_folder import read_mlmodel

_TEST = "test/"


@dataclass(frozen=True)
class ModelDescription:
    """A model's registered `version` as `NAME/VERSION`, None for an unregistered address; and its test metrics."""

    version: str | None
    figures: dict[str, float]


def describe_model(folder: Path, model_uri: str, tracking_uri: str) -> ModelDescription:
    """Look up a model whose folder was found under `model_uri`.

    A folder on disk can belong to another store, or to none: nothing is known of it then.
    """
    client = MlflowClient(tracking_uri, tracking_uri)
    if Path(model_uri) == folder:
        return ModelDescription(None, {})
    run_id = read_mlmodel(folder, f"model={model_uri}").run_id
    try:
        metrics = client.get_run(run_id).data.metrics if isinstance(run_id, str) and run_id else {}
    except MlflowException:  # the run was deleted, its model not
        metrics = {}
    figures = {name.removeprefix(_TEST): value for name, value in metrics.items() if name.startswith(_TEST)}
    return ModelDescription(_version(client, model_uri), figures)


def _version(client: MlflowClient, model_uri: str) -> str | None:
    named = registered(model_uri)
    return None if named is None else f"{named.name}/{named.number(client)}"

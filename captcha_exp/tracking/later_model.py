"""A model whose server was away when it was trained: its files now, its number in MLflow later."""

from pathlib import Path

import yaml
from mlflow import MlflowClient
from mlflow.entities import LoggedModel, LoggedModelOutput, LoggedModelStatus

from captcha_exp.tracking.model_folder import MLMODEL
from captcha_exp.tracking.new_model import create

_RECORD_TAG = "captcha_exp.record"


def send_model(client: MlflowClient, run_id: str, folder: Path, key: str) -> None:
    """Write a model that was saved before into the store. If an earlier attempt was cut off, go on with its model.

    Args:
        client: talks to the server.
        run_id: the run that trained it.
        folder: the model's files; its description gets the model's id.
        key: tells this model from others of the run.
    """
    run = client.get_run(run_id)
    begun = [model for model in _models(client, run_id) if _goes_on(model, key)]
    if begun:
        logged = begun[0]
        client.set_logged_model_tags(logged.model_id, {_RECORD_TAG: key})
    else:
        logged = create(client, run, {_RECORD_TAG: key})
    if logged.status is not LoggedModelStatus.READY:
        _describe(folder / MLMODEL, logged)
        client.log_model_artifacts(logged.model_id, str(folder))
        client.finalize_logged_model(logged.model_id, LoggedModelStatus.READY)
    outputs = run.outputs.model_outputs if run.outputs is not None else []
    if logged.model_id not in {output.model_id for output in outputs}:
        client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])


def model_id_of(client: MlflowClient, run_id: str) -> str | None:
    """The id of the latest model of a run that is complete."""
    ready = [model for model in _models(client, run_id) if model.status is LoggedModelStatus.READY]
    return str(ready[0].model_id) if ready else None


def _models(client: MlflowClient, run_id: str) -> list[LoggedModel]:
    """The models of a run, the latest first."""
    experiment = client.get_run(run_id).info.experiment_id
    found = client.search_logged_models([experiment], filter_string=f"source_run_id = '{run_id}'")
    return sorted(found, key=lambda model: -model.creation_timestamp)


def _goes_on(model: LoggedModel, key: str) -> bool:
    return model.tags.get(_RECORD_TAG) == key or model.status is LoggedModelStatus.PENDING


def _describe(path: Path, logged: LoggedModel) -> None:
    """Write the model's id and place into its description."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    own = {"model_id": logged.model_id, "model_uuid": logged.model_id, "artifact_path": logged.artifact_location}
    path.write_text(yaml.safe_dump({**content, **own}, allow_unicode=True), encoding="utf-8")

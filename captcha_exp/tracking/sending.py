"""The calls of a run that may be made later: how one is written down, and how it is made."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag

from captcha_exp.tracking.later_model import model_id_of, send_model
from captcha_exp.tracking.new_model import LATER, MODEL_NAME


def batch(metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[RunTag]) -> dict[str, Any]:
    """A record of metrics, params and tags. Metrics keep their time, so MLflow keeps one that comes twice once."""
    plain = {"metrics": metrics, "params": params, "tags": tags}
    return {"call": "batch", **{kind: [dict(one) for one in values] for kind, values in plain.items()}}


def inputs(datasets: Sequence[DatasetInput]) -> dict[str, Any]:
    """A record of dataset inputs."""
    return {
        "call": "inputs",
        "inputs": [{"dataset": dict(one.dataset), "tags": [dict(tag) for tag in one.tags]} for one in datasets],
    }


def artifact(name: str, folder: str | None) -> dict[str, Any]:
    """A record of a file, whose copy is among the record's files."""
    return {"call": "artifact", "name": name, "folder": folder}


def ending(status: str, end_time_ms: int) -> dict[str, Any]:
    """A record of a run's end."""
    return {"call": "end", "status": status, "end_time_ms": end_time_ms}


def model() -> dict[str, Any]:
    """A record of a model, whose folder is among the record's files."""
    return {"call": "model"}


def send(client: MlflowClient, run_id: str, values: dict[str, Any], files: Path, key: str) -> None:
    """Make the call of a record. Calls that are made twice leave the same as calls that are made once.

    Args:
        client: talks to the server.
        run_id: the run.
        values: the record.
        files: the folder with the record's files.
        key: tells the record from others of the run.
    """
    match values["call"]:
        case "batch":
            _send_batch(client, run_id, values)
        case "inputs":
            client.log_inputs(run_id, [_input(one) for one in values["inputs"]])
        case "artifact":
            client.log_artifact(run_id, str(files / values["name"]), values["folder"])
        case "end":
            client.set_terminated(run_id, values["status"], values["end_time_ms"])
        case "model":
            send_model(client, run_id, files / MODEL_NAME, key)


def _send_batch(client: MlflowClient, run_id: str, values: dict[str, Any]) -> None:
    metrics = values["metrics"]
    if any(one.get("model_id") == LATER for one in metrics):
        known = model_id_of(client, run_id)
        metrics = [{**one, "model_id": known} if one.get("model_id") == LATER else one for one in metrics]
    client.log_batch(
        run_id,
        metrics=[Metric(**one) for one in metrics],
        params=[Param(**one) for one in values["params"]],
        tags=[RunTag(**one) for one in values["tags"]],
    )


def _input(values: dict[str, Any]) -> DatasetInput:
    return DatasetInput(Dataset(**values["dataset"]), [InputTag(**tag) for tag in values["tags"]])

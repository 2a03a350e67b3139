"""The splits of a dataset as MLflow's dataset inputs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from mlflow.entities import Dataset, DatasetInput, InputTag

_MAX_DIGEST_LENGTH = 36
_MAX_NAME_LENGTH = 500
_CONTEXTS = {"train": "training"}  # MLflow's own loggers use this word; other splits keep their names


@dataclass(frozen=True)
class LoggedSplit:
    """What the store records about one split: its size and a digest of its content."""

    size: int
    digest: str


def describe_splits(name: str, uri: str, fingerprint: str, splits: Mapping[str, LoggedSplit]) -> dict[str, Dataset]:
    """One MLflow dataset per split, without the data.

    MLflow identifies a dataset by name and digest, so both differ between the splits of a source.
    """
    kind, source = _source(uri)
    described = {}
    for split, summary in splits.items():
        profile = json.dumps({"num_rows": summary.size, "fingerprint": fingerprint})
        digest = summary.digest[:_MAX_DIGEST_LENGTH]
        described[split] = Dataset(f"{name}/{split}"[-_MAX_NAME_LENGTH:], digest, kind, source, profile=profile)
    return described


def as_input(split: str, dataset: Dataset) -> DatasetInput:
    """A dataset with the context in which a run used it."""
    return DatasetInput(dataset, [InputTag("mlflow.data.context", _CONTEXTS.get(split, split))])


def _source(uri: str) -> tuple[str, str]:
    """Type and content of a source, in a form that `mlflow.data.get_source` can read."""
    if uri.startswith(("http://", "https://")):
        return "http", json.dumps({"url": uri})
    if uri.startswith("/"):
        return "local", json.dumps({"uri": uri})
    return "code", json.dumps({"tags": {"mlflow.source.name": uri}})

"""The registered versions of one model, with the aliases that say which of them is in use."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_ALREADY_EXISTS, RESOURCE_DOES_NOT_EXIST, ErrorCode

from captcha_exp.tracking.store import Store

CHAMPION, PREVIOUS, CHALLENGER = "champion", "previous", "challenger"
_MOVE = "promotion.move"
_MODELS = "models:/"
_MAX_TAG_LENGTH = 5_000


@dataclass(frozen=True)
class Version:
    """One registered version, and the model and the run that it stands for."""

    version: str
    model_id: str
    run_id: str
    tags: dict[str, str]


@dataclass(frozen=True)
class Move:
    """Where the aliases are to point, None where one is to be absent.

    Once it is written down, the move has happened: whoever comes next finishes it, so a process that dies between two
    aliases leaves nothing in between.
    """

    kind: Literal["promotion", "rollback"]
    champion: str | None
    previous: str | None
    challenger: str | None


class Registry:
    """The registered model `name` of a store. Nothing here keeps other processes out: see `exclusive`."""

    def __init__(self, store: Store, name: str) -> None:
        self.name = name
        self._client = store.client

    def aliases(self) -> dict[str, str]:
        """Versions by alias; empty where the model is not registered yet."""
        registered = self._find()
        return {} if registered is None else {alias: str(at) for alias, at in registered.aliases.items()}

    def versions(self) -> list[Version]:
        """Every version, the oldest first."""
        found = self._client.search_model_versions(f"name = '{self.name}'", max_results=10_000)
        return sorted(map(_version, found), key=lambda version: int(version.version))

    def version(self, number: str) -> Version:
        """One version."""
        return _version(self._client.get_model_version(self.name, number))

    def ensure(self) -> None:
        """Make the registered model where it is missing."""
        try:
            self._client.create_registered_model(self.name)
        except MlflowException as error:
            if error.error_code != ErrorCode.Name(RESOURCE_ALREADY_EXISTS):
                raise

    def register(self, model_id: str, run_id: str, tags: Mapping[str, str]) -> str:
        """The version of a model, made with its tags in one step; of a model that has one, that with these tags."""
        short = {key: value[:_MAX_TAG_LENGTH] for key, value in tags.items()}
        for version in self.versions():
            if version.model_id == model_id:
                for key, value in short.items():
                    self._client.set_model_version_tag(self.name, version.version, key, value)
                return version.version
        made = self._client.create_model_version(
            self.name, f"{_MODELS}{model_id}", run_id, short, model_id=model_id, await_creation_for=0
        )
        return str(made.version)

    def pending_move(self) -> Move | None:
        """The move that was written down and not finished."""
        text = self.model_tags().get(_MOVE)
        return None if text is None else Move(**json.loads(text))

    def write_move(self, move: Move) -> None:
        """Write a move down; from here on it has happened."""
        self.set_model_tag(_MOVE, json.dumps(asdict(move)))

    def set_alias(self, alias: str, version: str | None) -> None:
        """Point an alias at a version; None removes it."""
        if version is None:
            self._client.delete_registered_model_alias(self.name, alias)
        else:
            self._client.set_registered_model_alias(self.name, alias, version)

    def forget_move(self) -> None:
        """Say that the move is finished."""
        self.delete_model_tag(_MOVE)

    def finish_move(self) -> Move | None:
        """Finish what a process that died had written down; None where there is nothing."""
        move = self.pending_move()
        if move is not None:
            self.set_alias(CHAMPION, move.champion)
            self.set_alias(PREVIOUS, move.previous)
            self.set_alias(CHALLENGER, move.challenger)
            self.forget_move()
        return move

    def set_tags(self, version: str, tags: Mapping[str, str]) -> None:
        """Write tags of one version."""
        for key, value in tags.items():
            self._client.set_model_version_tag(self.name, version, key, value[:_MAX_TAG_LENGTH])

    def model_tags(self) -> dict[str, str]:
        """Tags of the model as a whole."""
        registered = self._find()
        return {} if registered is None else dict(registered.tags)

    def set_model_tag(self, key: str, value: str) -> None:
        """Write a tag of the model as a whole."""
        self._client.set_registered_model_tag(self.name, key, value)

    def delete_model_tag(self, key: str) -> None:
        """Remove a tag of the model as a whole."""
        self._client.delete_registered_model_tag(self.name, key)

    def _find(self):  # type: ignore[no-untyped-def]  # MLflow's own classes are untyped
        try:
            return self._client.get_registered_model(self.name)
        except MlflowException as error:
            if error.error_code != ErrorCode.Name(RESOURCE_DOES_NOT_EXIST):
                raise
            return None


def _version(found: ModelVersion) -> Version:
    # MLflow's own stores forget a version's model id, and keep the address it was made from.
    return Version(str(found.version), str(found.source).removeprefix(_MODELS), str(found.run_id), dict(found.tags))

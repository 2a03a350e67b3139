"""The registered versions of one model, and the aliases that say which version is in use."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_ALREADY_EXISTS, RESOURCE_DOES_NOT_EXIST, ErrorCode

from captcha_exp.errors import InputError
from captcha_exp.foreign_text import markdown_code
from captcha_exp.tracking.answering import without_retries
from captcha_exp.tracking.mlflow_text import quoted, storable
from captcha_exp.tracking.move import MOVE_TAG, Move, read_move, write_down
from captcha_exp.tracking.store import Store

CHAMPION, PREVIOUS, CHALLENGER = "champion", "previous", "challenger"
_MODELS = "models:/"
_MAX_TAG_LENGTH = 5_000


@dataclass(frozen=True)
class Version:
    """One registered version, with the ids of its model and its run."""

    version: str
    model_id: str
    run_id: str
    tags: dict[str, str]


class Registry:
    """The registered model `name` of a store. This class does not keep other processes out; `exclusive` does."""

    def __init__(self, store: Store, name: str) -> None:
        self.name = name
        self._client = store.client

    def aliases(self) -> dict[str, str]:
        """Versions by alias; empty if the model is not registered yet."""
        registered = self._find()
        return {} if registered is None else {alias: str(at) for alias, at in registered.aliases.items()}

    def versions(self) -> list[Version]:
        """All versions, the oldest first."""
        found = self._client.search_model_versions(f"name = {quoted(self.name)}", max_results=10_000)
        return sorted(map(_version, found), key=lambda version: int(version.version))

    def version(self, number: str) -> Version:
        """One version."""
        return _version(self._client.get_model_version(self.name, number))

    def ensure(self) -> None:
        """Make the registered model if it does not exist."""
        try:
            self._client.create_registered_model(self.name, description=_about(self.name))
        except MlflowException as error:
            if error.error_code != ErrorCode.Name(RESOURCE_ALREADY_EXISTS):
                raise

    def register(self, model_id: str, run_id: str, tags: Mapping[str, str], description: str = "") -> str:
        """Make the version of a run's model, in one step. If it exists, only write its tags and description.

        Args:
            model_id: the model.
            run_id: the run that made it.
            tags: of the version.
            description: Markdown that MLflow shows on the version's page.
        """
        short = {key: storable(value, _MAX_TAG_LENGTH) for key, value in tags.items()}
        for version in self.versions():
            if (version.model_id, version.run_id) == (model_id, run_id):
                self.set_tags(version.version, short)
                self._client.update_model_version(self.name, version.version, description)
                return version.version
        # If the answer were lost and the request sent again, the server would make a second version.
        with without_retries():
            made = self._client.create_model_version(
                self.name,
                f"{_MODELS}{model_id}",
                run_id,
                short,
                description=description,
                model_id=model_id,
                await_creation_for=0,
            )
        return str(made.version)

    def pending_move(self) -> Move | None:
        """The move that was written down but not finished, or None."""
        move, finished = self._move()
        return None if finished else move

    def last_move(self) -> Move | None:
        """The move that was finished last, by any command; None while a move is not finished."""
        move, finished = self._move()
        return move if finished else None

    def write_move(self, move: Move) -> None:
        """Write a move down. From then on it counts as done."""
        self.set_model_tag(MOVE_TAG, write_down(move, finished=False))

    def set_alias(self, alias: str, version: str | None) -> None:
        """Point an alias at a version, or remove the alias if `version` is None."""
        if version is None:
            self._client.delete_registered_model_alias(self.name, alias)
        else:
            self._client.set_registered_model_alias(self.name, alias, version)

    def mark_finished(self, move: Move) -> None:
        """Mark a move as finished. It is kept, to find out later whether somebody else changed the aliases."""
        self.set_model_tag(MOVE_TAG, write_down(move, finished=True))

    def finish_move(self, check: Callable[[str], object] = lambda version: None) -> Move | None:
        """Finish the move of a process that died, and return it; None if there is no such move.

        Args:
            check: raises InputError if a version cannot be champion.

        Raises:
            InputError: the written move is impossible, or the aliases are not where the last move left them.
        """
        move = self.pending_move()
        if move is None:
            self.check_aliases()
            return None
        self._check_versions(move)
        if move.champion is not None:
            check(move.champion)
        self.set_alias(CHAMPION, move.champion)
        self.set_alias(PREVIOUS, move.previous)
        self.set_alias(CHALLENGER, move.challenger)
        self.mark_finished(move)
        return move

    def check_aliases(self) -> None:
        """Check that `champion` and `previous` are where the last finished move left them, if there was a move.

        Raises:
            InputError: they are not, so somebody else has moved them.
        """
        move = self.last_move()
        if move is None:
            return
        aliases = self.aliases()
        for alias in (CHAMPION, PREVIOUS):
            now, left = aliases.get(alias), move.versions.get(alias)
            if now != left:
                told = f"the alias {alias} is {_named(now)}, but the last {move.kind} left it"
                raise self._wrong(f"{told} {_named(left)}")

    def find_version(self, number: str) -> Version | None:
        """One version, or None if it does not exist or was deleted."""
        return next((version for version in self.versions() if version.version == number), None)

    def set_tags(self, version: str, tags: Mapping[str, str]) -> None:
        """Write tags of one version."""
        for key, value in tags.items():
            self._client.set_model_version_tag(self.name, version, key, storable(value, _MAX_TAG_LENGTH))

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

    def _move(self) -> tuple[Move | None, bool]:
        text = self.model_tags().get(MOVE_TAG)
        if text is None:
            return None, True
        try:
            return read_move(text)
        except InputError as error:
            raise self._wrong(str(error)) from error

    def _check_versions(self, move: Move) -> None:
        for alias, number in move.versions.items():
            version = self.find_version(number)
            if version is None:
                raise self._wrong(f"an unfinished {move.kind} makes version {number} {alias}, and there is none")
            changed = alias == CHAMPION and self.aliases().get(CHAMPION) != number
            if changed and move.kind == "promotion" and version.tags.get("verdict") == "not promoted":
                raise self._wrong(f"an unfinished promotion makes version {number} champion, which was not promoted")

    def _wrong(self, problem: str) -> InputError:
        return InputError(
            f"The registered model {self.name} was changed by hand: {problem}. Set its aliases right in MLflow, remove "
            f"its tag {MOVE_TAG}, and type the command again."
        )

    def _find(self):  # type: ignore[no-untyped-def]  # MLflow's own classes are untyped
        try:
            return self._client.get_registered_model(self.name)
        except MlflowException as error:
            if error.error_code != ErrorCode.Name(RESOURCE_DOES_NOT_EXIST):
                raise
            return None


def _about(name: str) -> str:
    """What MLflow shows on the page of a new registered model."""
    return (
        "Recognisers of short text in images, as `captcha-exp promote` judged them on test images. `champion` is the "
        "version in use, `previous` the one before it, and `challenger` the last that did not win.\n\n"
        f"Read images: {markdown_code(f'captcha-exp predict model={_MODELS}{name}@{CHAMPION} FILES')}"
    )


def _named(version: str | None) -> str:
    return "absent" if version is None else f"at version {version}"


def _version(found: ModelVersion) -> Version:
    # MLflow's own stores do not keep a version's model id. They keep the address that it was made from.
    return Version(str(found.version), str(found.source).removeprefix(_MODELS), str(found.run_id), dict(found.tags))

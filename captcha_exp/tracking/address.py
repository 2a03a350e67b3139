"""Which model an address means, read in one place so that no two readers can mean different ones."""

import re
from dataclasses import dataclass

from mlflow import MlflowClient

from captcha_exp.errors import InputError

# MLflow's own reader takes such an address for a URL: it drops what follows a `?`, and finds the latest version, or one
# of a stage, where the rest names no number. Here a name is what stands between the marks, whatever characters it has.
_VERSION = re.compile(r"models:/(?P<name>[^/:]+)/(?P<version>[0-9]+)")
_ALIAS = re.compile(r"models:/(?P<name>[^/:]+)@(?P<alias>[\w-]+)")
_LOGGED = re.compile(r"(?:models:/)?(?P<id>m-[A-Za-z0-9]+)")
_RUN = re.compile(r"runs:/[\w-]+/[^?#%]+")


@dataclass(frozen=True)
class Registered:
    """A version of a registered model, named by its number or by an alias; the other is None."""

    name: str
    version: str | None
    alias: str | None

    def number(self, client: MlflowClient) -> str:
        """The version's number; an alias is looked up now."""
        if self.version is not None:
            return self.version
        return str(client.get_model_version_by_alias(self.name, str(self.alias)).version)


def registered(model_uri: str) -> Registered | None:
    """The version that an address names; None for an address of another kind."""
    found = _VERSION.fullmatch(model_uri)
    if found is not None:
        return Registered(found["name"], found["version"], None)
    found = _ALIAS.fullmatch(model_uri)
    return None if found is None else Registered(found["name"], None, found["alias"])


def artifacts_of(model_uri: str, client: MlflowClient) -> str:
    """Where the files of a model are, as MLflow's downloads take it.

    Raises:
        InputError: it is no address of a model.
        MlflowException: the store has no such model.
    """
    version = registered(model_uri)
    if version is not None:
        return str(client.get_model_version_download_uri(version.name, version.number(client)))
    logged = _LOGGED.fullmatch(model_uri)
    if logged is not None:
        return f"models:/{logged['id']}"
    if _RUN.fullmatch(model_uri):
        return model_uri
    raise InputError(
        f"model={model_uri} must be runs:/RUN/model, models:/NAME@ALIAS, models:/NAME/VERSION, m-... or a folder "
        "with a file MLmodel"
    )

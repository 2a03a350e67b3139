"""Which model an address means: all commands read addresses here, so they agree."""

import re
from dataclasses import dataclass

from mlflow import MlflowClient

from captcha_exp.errors import InputError

# MLflow's own reader treats such an address as a URL. It drops the text after a `?`. If the last part is no number, it
# takes the latest version, or the version of a stage. Here the name is all text between the marks.
_VERSION = re.compile(r"models:/(?P<name>[^/:]+)/(?P<version>[0-9]+)")
_ALIAS = re.compile(r"models:/(?P<name>[^/:]+)@(?P<alias>[\w-]+)")
_LOGGED = re.compile(r"(?:models:/)?(?P<id>m-[A-Za-z0-9]+)")
_RUN = re.compile(r"runs:/[\w-]+/[^?#%]+")


@dataclass(frozen=True)
class Registered:
    """A version of a registered model. The address names it by `version` or by `alias`; the other is None."""

    name: str
    version: str | None
    alias: str | None

    def number(self, client: MlflowClient) -> str:
        """The version's number. An alias is looked up at each call."""
        if self.version is not None:
            return self.version
        return str(client.get_model_version_by_alias(self.name, str(self.alias)).version)


def registered(model_uri: str) -> Registered | None:
    """The version that an address names, or None if the address is of another kind."""
    found = _VERSION.fullmatch(model_uri)
    if found is not None:
        return Registered(found["name"], found["version"], None)
    found = _ALIAS.fullmatch(model_uri)
    return None if found is None else Registered(found["name"], None, found["alias"])


def artifacts_of(model_uri: str, client: MlflowClient) -> str:
    """The address from which MLflow can download the files of a model.

    Raises:
        InputError: `model_uri` is not the address of a model.
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

"""The configuration of prepare."""

from pydantic import model_validator

from captcha_exp.config.fields import Settings
from captcha_exp.config.schema.experiment import Config
from captcha_exp.errors import InputError


class PreparationConfig(Settings):
    """How a dataset is audited; `conf/prepare.yaml` explains the keys."""

    audit: bool
    model: str | None

    @model_validator(mode="after")
    def _the_model_is_for_the_audit(self) -> "PreparationConfig":
        if self.model is not None and not self.audit:
            raise InputError(f"model={self.model} is for the audit, which audit=false leaves out; drop one of them.")
        return self


class PrepareCommandConfig(PreparationConfig, Config):
    """Everything that `captcha-exp prepare` takes."""

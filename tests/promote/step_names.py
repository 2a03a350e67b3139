"""The steps as the code lists them, so that a new one is tested by itself."""

from typing import Any

from captcha_exp.promote.registry_steps import promotion_steps, rollback_steps
from captcha_exp.tracking import Move

# Nothing is done here, so nothing is asked of it.
_NO_REGISTRY: Any = None


def promotion_step_names() -> list[str]:
    """What is done after a verdict."""
    return [step.name for step in promotion_steps(_NO_REGISTRY, "", "", {}, promoted=True)]


def rollback_step_names() -> list[str]:
    """What is done to go back."""
    return [step.name for step in rollback_steps(_NO_REGISTRY, "", Move("rollback", None, None, None))]

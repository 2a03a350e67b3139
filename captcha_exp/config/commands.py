"""The keys that one command has besides those of an experiment, typed like them."""

from dataclasses import fields
from typing import cast

from omegaconf import DictConfig, OmegaConf

from captcha_exp.config.schema import EvaluationConfig, PromotionConfig
from captcha_exp.config.typed import own_keys, require, typed
from captcha_exp.errors import InputError

_MOST_MODEL_NAME = 250  # MLflow's databases take 256


def load_evaluation(composed: DictConfig) -> EvaluationConfig:
    """The keys that only `evaluate` has.

    Raises:
        InputError: a key is missing, or a value is of the wrong type or out of range.
    """
    own = typed(EvaluationConfig, own_keys(EvaluationConfig, composed))
    require(own.robustness_images is None or own.robustness_images > 0, "robustness_images", "null or at least 1",
            own.robustness_images)  # fmt: skip
    require(own.resamples > 0, "resamples", "at least 1", own.resamples)
    require(own.seed >= 0, "seed", "at least 0", own.seed)
    return own


def without_own(composed: DictConfig, schema: type) -> DictConfig:
    """What is left of a composed configuration without the keys of a command's schema."""
    own = {field.name for field in fields(schema)}
    return cast(DictConfig, OmegaConf.masked_copy(composed, [str(key) for key in composed if key not in own]))


def load_promotion(composed: DictConfig) -> PromotionConfig:
    """The configuration of `promote`.

    Raises:
        InputError: a key is missing, a value is of the wrong type or out of range, or values do not go together.
    """
    config = typed(PromotionConfig, own_keys(PromotionConfig, composed))
    rule, limits = config.rule, config.limits
    named = [name for name in (config.challenger.sweep, config.challenger.run) if name is not None]
    if config.rollback and named:
        raise InputError("rollback=true goes back to the previous champion; it takes neither `sweep=` nor `run=`.")
    if config.rollback and config.dry_run:
        raise InputError(
            "rollback=true changes two aliases and needs no judgement; dry_run=true has no meaning for it."
        )
    if not config.rollback and len(named) != 1:
        raise InputError("One challenger is needed: set either `sweep=NAME` or `run=RUN_ID`.")
    _check_model_name(config.model_name)
    require(0 < rule.alpha < 1, "rule.alpha", "above 0 and below 1", rule.alpha)
    require(0 <= rule.min_difference < 1, "rule.min_difference", "at least 0 and below 1", rule.min_difference)
    require(rule.resamples > 0, "rule.resamples", "at least 1", rule.resamples)
    require(rule.seed >= 0, "rule.seed", "at least 0", rule.seed)
    for key in ("min_accuracy", "robustness_drop"):
        value = getattr(limits, key)
        require(value is None or 0 <= value <= 1, f"limits.{key}", "null or from 0 to 1", value)
    for key in ("latency_ms", "parameters", "robustness_images"):
        value = getattr(limits, key)
        require(value is None or value > 0, f"limits.{key}", "null or above 0", value)
    epochs, seeds = config.refit.epochs, config.refit.seeds
    require(epochs is None or epochs > 0, "refit.epochs", "null or at least 1", epochs)
    require(all(seed >= 0 for seed in seeds), "refit.seeds", "numbers from 0", seeds)
    require(len(set(seeds)) == len(seeds), "refit.seeds", "free of repetitions", seeds)
    return config


def _check_model_name(name: str) -> None:
    """What MLflow's registry, its conditions and our addresses of models can all hold."""
    require(bool(name) and not set(name) & set("/:'"), "model_name", "a name without /, : and '", name)
    plain = name.isprintable() and name == name.strip() and name[0] != "."
    require(plain, "model_name", "printable, without blanks around it or a dot before it", name)
    require(len(name) <= _MOST_MODEL_NAME, "model_name", f"at most {_MOST_MODEL_NAME} characters long", len(name))

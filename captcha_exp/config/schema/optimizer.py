"""The configuration of optimizers, one model per optimizer."""

from enum import Enum
from typing import Annotated, Any, Literal

from pydantic import Field

from captcha_exp.config.fields import FunctionName, NotNegative, Positive, Settings, ShareBelowOne


class Schedule(Enum):
    """How the learning rate changes after warm-up."""

    cosine = "cosine"
    constant = "constant"


class OptimizerConfig(Settings):
    """The keys of every optimizer. `warmup_share` is a share of all steps. `clip_norm` null does not clip."""

    kind: str
    learning_rate: Positive
    schedule: Schedule
    warmup_share: ShareBelowOne
    clip_norm: Positive | None


class AdamConfig(OptimizerConfig):
    """Adam (Kingma & Ba 2015)."""

    kind: Literal["adam"]


class AdamWConfig(OptimizerConfig):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019); biases and gains do not decay."""

    kind: Literal["adamw"]
    weight_decay: NotNegative


class CustomOptimizerConfig(OptimizerConfig):
    """The user's own optimizer; `builder` is its `MODULE:FUNCTION`.

    The function takes this configuration and returns a `keras.optimizers.Optimizer`. Its learning rate is set before
    each step. Only the function uses `options`.
    """

    kind: Literal["custom"]
    builder: FunctionName
    options: dict[str, Any]


Optimizer = Annotated[AdamWConfig | AdamConfig | CustomOptimizerConfig, Field(discriminator="kind")]

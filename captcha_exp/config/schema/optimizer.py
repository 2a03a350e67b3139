"""How weights are changed, one model per optimizer."""

from enum import Enum
from typing import Annotated, Any, Literal

from pydantic import Field

from captcha_exp.config.fields import FunctionName, NotNegative, Positive, Settings, ShareBelowOne


class Schedule(Enum):
    """How the learning rate moves after warm-up."""

    cosine = "cosine"
    constant = "constant"


class OptimizerConfig(Settings):
    """What every optimizer has. `warmup_share` is the share of all steps; `clip_norm` null does not clip."""

    kind: str
    learning_rate: Positive
    schedule: Schedule
    warmup_share: ShareBelowOne
    clip_norm: Positive | None


class AdamConfig(OptimizerConfig):
    """Adam (Kingma & Ba 2015)."""

    kind: Literal["adam"]


class AdamWConfig(OptimizerConfig):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019); biases and gains are spared."""

    kind: Literal["adamw"]
    weight_decay: NotNegative


class CustomOptimizerConfig(OptimizerConfig):
    """An optimizer of the user's own, `builder` its `MODULE:FUNCTION`.

    The function takes this configuration and returns a `keras.optimizers.Optimizer`, whose learning rate is set before
    each step; `options` are for it alone.
    """

    kind: Literal["custom"]
    builder: FunctionName
    options: dict[str, Any]


Optimizer = Annotated[AdamWConfig | AdamConfig | CustomOptimizerConfig, Field(discriminator="kind")]

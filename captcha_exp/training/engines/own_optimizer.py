"""Builds the optimizer that the user programmed."""

import keras

from captcha_exp.config import CustomOptimizerConfig
from captcha_exp.errors import InputError
from captcha_exp.extension import named_function


def own_optimizer(config: CustomOptimizerConfig) -> keras.optimizers.Optimizer:
    """Call `optimizer.builder`, and return its optimizer. Each step sets its learning rate.

    Raises:
        InputError: the function returns no optimizer, or its learning rate cannot be set.
    """
    optimizer = named_function("optimizer.builder", config.builder)(config)
    if not isinstance(optimizer, keras.optimizers.Optimizer) or not isinstance(optimizer.learning_rate, keras.Variable):
        raise InputError(
            f"optimizer.builder={config.builder} must return a keras.optimizers.Optimizer with a number as its "
            f"learning rate, not {optimizer!r}."
        )
    return optimizer

"""Changes to training images that the user programmed."""

from collections.abc import Callable

import numpy as np

from captcha_exp.config import AugmentationConfig
from captcha_exp.errors import InputError
from captcha_exp.extension import named_function

_STREAM = 1  # apart from the numbers that order an epoch's images


def own_augmentation(augmentation: AugmentationConfig, seed: int) -> Callable[[np.ndarray, int], np.ndarray]:
    """What `augmentation.function` makes of a batch; without one, the batch itself.

    Args:
        augmentation: handed on to the function.
        seed: of the training; together with the step it decides everything drawn.

    Returns:
        A function from uint8 (B, H, W) or (B, H, W, 3) and the number of the step to as many images of the same size.

    Raises:
        InputError: there is no such function, or (when called) it returns something else.
    """
    if augmentation.function is None:
        return lambda images, step: images
    spec = augmentation.function
    function = named_function("augmentation.function", spec)

    def alter(images: np.ndarray, step: int) -> np.ndarray:
        altered = function(images, np.random.default_rng([seed, step, _STREAM]), augmentation)
        if not isinstance(altered, np.ndarray) or (altered.shape, altered.dtype) != (images.shape, images.dtype):
            told = f"{altered.dtype} {altered.shape}" if isinstance(altered, np.ndarray) else repr(altered)
            raise InputError(f"augmentation.function={spec} must return uint8 {images.shape}, not {told}.")
        return altered

    return alter

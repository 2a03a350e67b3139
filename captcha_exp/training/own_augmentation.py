"""Changes to training images that the user has written."""

from collections.abc import Callable

import numpy as np

from captcha_exp.config import AugmentationConfig
from captcha_exp.errors import InputError
from captcha_exp.extension import named_function

_STREAM = 1  # so these numbers differ from those that shuffle the images of an epoch


def own_augmentation(augmentation: AugmentationConfig, seed: int) -> Callable[[np.ndarray, int], np.ndarray]:
    """Make a function that calls `augmentation.function` on a batch. If the key is not set, the batch stays as it is.

    Args:
        augmentation: the user's function gets it as an argument.
        seed: the seed of the training. Together with the step it gives the seed of the function's random generator.

    Returns:
        A function from images uint8 (B, H, W) or (B, H, W, 3) and the number of the step to images of the same shape.

    Raises:
        InputError: the user's function does not exist. Later, when it is called: it returns something else than images
            of the same shape.
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

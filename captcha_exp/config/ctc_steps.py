"""Count the time steps that a recogniser gives and that a label needs."""

from itertools import pairwise
from typing import TYPE_CHECKING

from captcha_exp.config.schema.model import CnnConfig, CustomCnnConfig, StridedCnnConfig

if TYPE_CHECKING:
    from captcha_exp.config.schema.experiment import Config


def feature_size(cnn: CnnConfig, image_height: int, image_width: int) -> tuple[int, int]:
    """Height and width of the feature map; its width is the number of time steps.

    Pooling in `original` and `vgg` drops an odd last row or column; strides in `compact` and `residual` keep it. For a
    `custom` CNN only the width is known; the height is given as 1.
    """
    if isinstance(cnn, CustomCnnConfig):
        return 1, -(-image_width // cnn.width_stride)
    if not isinstance(cnn, StridedCnnConfig):
        return image_height // 2 // 2 // 2, image_width // 2 // 2
    halvings = cnn.width_stride.bit_length() - 1
    height, width = image_height, image_width
    rounding = 0 if cnn.kind == "vgg" else 1
    for stage in range(len(cnn.filters)):
        height = (height + rounding) // 2
        width = (width + rounding) // 2 if stage < halvings else width
    return height, width


def time_steps(config: "Config") -> int:
    """Number of time steps T that the recogniser gives for an image."""
    return feature_size(config.cnn, config.dataset.image_height, config.dataset.image_width)[1]


def min_time_steps(label: str) -> int:
    """Fewest time steps in which CTC can emit `label`.

    CTC needs a blank between two equal neighbours, so each adjacent repeat costs one more step.

    Source:
        Graves et al. 2006, section 3.1.
    """
    return len(label) + sum(left == right for left, right in pairwise(label))

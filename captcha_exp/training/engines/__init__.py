"""What computes the steps of a training: TensorFlow at its fastest, or whatever library Keras computes with."""

import keras

from captcha_exp.config import AugmentationConfig, OptimizerConfig
from captcha_exp.training.engines.engine import Engine

__all__ = ["Engine", "build_engine"]


def build_engine(model: keras.Model, optimizer: OptimizerConfig, augmentation: AugmentationConfig) -> Engine:
    """The engine of Keras' backend in this process, which `KERAS_BACKEND` names.

    Args:
        model: what is trained, in place; of stock layers.
        optimizer: how its weights are changed.
        augmentation: what is done to each batch first.
    """
    # A backend's library is imported only where it computes.
    if keras.backend.backend() == "tensorflow":
        from captcha_exp.training.engines.tensorflow_engine import TensorflowEngine

        return TensorflowEngine(model, optimizer, augmentation)
    from captcha_exp.training.engines.keras_engine import KerasEngine

    return KerasEngine(model, optimizer, augmentation)

"""Compute the steps of a training: one engine for TensorFlow, one for any backend of Keras."""

import keras

from captcha_exp.config import AugmentationConfig, OptimizerConfig, TrainingConfig
from captcha_exp.training.engines.engine import Engine

__all__ = ["Engine", "build_engine"]


def build_engine(
    model: keras.Model,
    optimizer: OptimizerConfig,
    augmentation: AugmentationConfig,
    training: TrainingConfig,
    teacher: keras.Model | None = None,
) -> Engine:
    """Build the engine for the backend of Keras that this process uses. `KERAS_BACKEND` names it.

    Args:
        model: the engine trains it in place. It has stock layers only.
        optimizer: decides how a step changes the weights.
        augmentation: decides how a step alters its images first.
        training: its `ema_decay`, `auxiliary_ctc` and `distil_weight` say what else a step computes.
        teacher: the model also learns the probabilities (B, T, K) that this one gives for the altered images. None
            computes none. Its own weights stay.
    """
    # Import a backend's library only if it computes.
    if keras.backend.backend() == "tensorflow":
        from captcha_exp.training.engines.tensorflow_engine import TensorflowEngine

        return TensorflowEngine(model, optimizer, augmentation, training, teacher)
    from captcha_exp.training.engines.keras_engine import KerasEngine

    return KerasEngine(model, optimizer, augmentation, training, teacher)

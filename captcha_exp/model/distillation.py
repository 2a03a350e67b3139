"""The loss that lets a network learn the probabilities of another."""

from typing import Any

from keras import ops


def distillation_loss(probabilities: Any, logits: Any) -> Any:
    """The cross-entropy of a network's classes to the probabilities of its teacher, summed over the time steps.

    A CTC loss is a sum over all time steps, too, so the two can be added.

    Args:
        probabilities: float32 (B, T, K), the teacher's.
        logits: float32 (B, T, K), the learner's.

    Returns:
        float32 (B,), in nats, at least the entropy of the teacher.

    Source:
        Hinton et al. 2015.
    """
    return -ops.sum(probabilities * ops.log_softmax(logits, axis=-1), axis=(1, 2))

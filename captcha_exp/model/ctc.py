"""The CTC loss."""

from typing import Any

import keras
from keras import ops

from captcha_exp.reader.vocabulary import BLANK


def ctc_loss(labels: Any, logits: Any) -> Any:
    """Negative log likelihood of each label, summed over its alignments.

    Args:
        labels: (B, L) class ids, padded with the blank.
        logits: float32 (B, T, K); T at least each label's length plus its adjacent repeats.

    Returns:
        float32 (B,), in nats, at least 0. The loss of a label whose repeats do not fit is infinite with TensorFlow, and
        a large number with other backends of Keras.

    Raises:
        tf.errors.InvalidArgumentError: a label is longer than T, with TensorFlow.

    Source:
        Graves et al. 2006.
    """
    if keras.backend.backend() == "tensorflow":
        return _tensorflow_loss(labels, logits)
    lengths = ops.sum(ops.cast(ops.not_equal(labels, BLANK), "int32"), axis=1)
    time_steps = ops.full_like(lengths, logits.shape[1])
    return ops.ctc_loss(ops.cast(labels, "int32"), logits, lengths, time_steps, mask_index=BLANK)


def _tensorflow_loss(labels: Any, logits: Any) -> Any:
    import tensorflow as tf

    # The kernel itself wants time first, the blank last and sparse labels. `tf.nn.ctc_loss` would reach it too, with a
    # function of its own in every graph; dense labels end in a loop of small operations, several times slower.
    rolled = tf.concat([logits[:, :, BLANK + 1 :], logits[:, :, : BLANK + 1]], axis=2)
    where = tf.where(tf.not_equal(labels, BLANK))
    loss, _ = tf.raw_ops.CTCLoss(
        inputs=tf.transpose(rolled, (1, 0, 2)),  # (B, T, K) -> (T, B, K)
        labels_indices=where,
        labels_values=tf.cast(tf.gather_nd(labels, where), tf.int32) - 1,
        sequence_length=tf.fill(tf.shape(logits)[:1], tf.shape(logits)[1]),
    )
    return loss

"""The CTC loss."""

from typing import Any

import keras
from keras import ops

from captcha_exp.reader.vocabulary import BLANK


def ctc_loss(labels: Any, logits: Any) -> Any:
    """The negative log-likelihood of each label: the sum over all alignments of the label with the time steps.

    Args:
        labels: class ids (B, L), padded with the blank.
        logits: float32 (B, T, K). A label needs one time step for each character, and one more between two equal
            neighbours.

    Returns:
        float32 (B,), in nats, at least 0. If T is large enough for the characters of a label but not for its equal
        neighbours, its loss is infinite in TensorFlow, and a large number in the other backends of Keras.

    Raises:
        tf.errors.InvalidArgumentError: a label is longer than T (only in TensorFlow).

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

    # The kernel expects time as the first axis, the blank as the last class, and sparse labels. `tf.nn.ctc_loss` calls
    # the same kernel, but it adds a function to every graph. With dense labels it uses a loop of small operations,
    # which is several times slower.
    rolled = tf.concat([logits[:, :, BLANK + 1 :], logits[:, :, : BLANK + 1]], axis=2)
    where = tf.where(tf.not_equal(labels, BLANK))
    loss, _ = tf.raw_ops.CTCLoss(
        inputs=tf.transpose(rolled, (1, 0, 2)),  # (B, T, K) -> (T, B, K)
        labels_indices=where,
        labels_values=tf.cast(tf.gather_nd(labels, where), tf.int32) - 1,
        sequence_length=tf.fill(tf.shape(logits)[:1], tf.shape(logits)[1]),
    )
    return loss

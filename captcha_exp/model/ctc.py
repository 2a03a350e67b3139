"""The CTC loss."""

import tensorflow as tf

from captcha_exp.vocabulary import BLANK


def ctc_loss(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Negative log likelihood of each label, summed over its alignments.

    Args:
        labels: int (B, L) class ids, padded with the blank.
        logits: float32 (B, T, K); T at least each label's length plus its adjacent repeats.

    Returns:
        float32 (B,), in nats, at least 0; infinite where a label's repeats do not fit.

    Raises:
        tf.errors.InvalidArgumentError: a label is longer than T.

    Source:
        Graves et al. 2006.
    """
    # Sparse labels reach TensorFlow's own kernel, which wants the blank last; dense ones a slower loop of small ops.
    rolled = tf.concat([logits[:, :, BLANK + 1 :], logits[:, :, : BLANK + 1]], axis=2)
    where = tf.where(tf.not_equal(labels, BLANK))
    ids = tf.cast(tf.gather_nd(labels, where), tf.int32) - 1
    sparse = tf.SparseTensor(where, ids, tf.shape(labels, out_type=tf.int64))
    time_steps = tf.fill(tf.shape(logits)[:1], tf.shape(logits)[1])
    loss: tf.Tensor = tf.nn.ctc_loss(sparse, rolled, None, time_steps, logits_time_major=False, blank_index=-1)
    return loss

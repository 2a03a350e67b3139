"""From class probabilities to text."""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from captcha_exp.config import DecodingConfig, DecodingKind
from captcha_exp.vocabulary import BLANK

_TINY = 1e-30


@dataclass(frozen=True)
class Prediction:
    """A text, with the probability in [0, 1] that the model gives it.

    Greedy decoding counts only the text's best alignment, beam search all that stayed in its beam.
    """

    text: str
    confidence: float


def decode(probabilities: np.ndarray, decoding: DecodingConfig, characters: str) -> list[Prediction]:
    """Read the text of each image.

    Args:
        probabilities: float32 (B, T, K), class 0 the blank.
        decoding: which search.
        characters: `characters[i]` is class `i + 1`; K - 1 of them.

    Returns:
        One prediction for each of the B images, in order.
    """
    if decoding.kind is DecodingKind.beam:
        return _beam_search(probabilities, decoding.beam_width, characters)
    return _greedy(probabilities, characters)


def _greedy(probabilities: np.ndarray, characters: str) -> list[Prediction]:
    best = probabilities.argmax(axis=2)  # (B, T)
    confidences = probabilities.max(axis=2).prod(axis=1, dtype=np.float64)  # (B,)
    emitted = best != BLANK
    emitted[:, 1:] &= best[:, 1:] != best[:, :-1]
    return [
        Prediction("".join(characters[i - 1] for i in ids[keep]), float(confidence))
        for ids, keep, confidence in zip(best, emitted, confidences, strict=True)
    ]


def _beam_search(probabilities: np.ndarray, beam_width: int, characters: str) -> list[Prediction]:
    batch, time_steps, _ = probabilities.shape
    # TensorFlow's decoder wants logits with time first and the blank last.
    rolled = np.roll(probabilities, -(BLANK + 1), axis=2).transpose(1, 0, 2)
    (paths,), scores = tf.nn.ctc_beam_search_decoder(
        np.log(np.maximum(rolled, _TINY)), np.full(batch, time_steps, np.int32), beam_width, top_paths=1
    )
    ids = tf.sparse.to_dense(paths, default_value=-1).numpy()
    return [
        Prediction("".join(characters[i] for i in row if i >= 0), min(1.0, float(np.exp(score))))
        for row, score in zip(ids, scores.numpy()[:, 0], strict=True)
    ]

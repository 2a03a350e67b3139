"""Random numbers for changes to training images. Every library that trains gets the same numbers."""

import math
from typing import Any, NamedTuple

import numpy as np

from captcha_exp.config import AugmentationConfig

# Each image has a row of random numbers. These are the columns that decide on its changes.
MOVES = range(6)
BRIGHTNESS, CONTRAST, NOISE = 6, 7, 8
ERASURE = range(9, 14)
INVERSION = 14
# How many random numbers each image gets, without its noise and its inversion.
NUMBERS = 14
# The columns of a second row, which only some changes need.
PERSPECTIVE, BENDS, RECOLORING, PROBES = range(2), range(2, 11), range(11, 16), range(16, 28)
# A stroke takes ten numbers for its form and three for its colour.
STROKE, _COLOR = 10, 3
# Noise is uniform within sqrt(3) standard deviations. It takes a third of the time of normally distributed noise.
NOISE_BOUND = math.sqrt(3.0)
# They make the seeds of the other streams of numbers different from the seed of the first.
NOISE_STREAM, INVERSION_STREAM, FURTHER_STREAM = 1, 2, 3

_ROUNDS = 10
_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_KEY_STEPS = np.array([0x9E3779B9, 0xBB67AE85], np.uint32)
_FIRST_KEY = np.array([0x3EC8F720, 0x02461E29], np.uint32)
_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)


class Draws(NamedTuple):
    """The random numbers for a batch, as arrays or as tensors of a library.

    `numbers` is float32 (B, 14), even in [-1, 1), or (B, 15) where images may be inverted. `noise` is float32
    (B, H, W, C), even within sqrt(3). `further` is float32 (B, `further_numbers`), even in [-1, 1). Both are None where
    the configuration asks for none.
    """

    numbers: Any
    noise: Any
    further: Any


def is_chosen(numbers: Any, probability: float) -> Any:
    """Whether a change happens that has a probability. It does not where the number is 0, which alters nothing."""
    return abs(numbers) > 1 - probability


def stroke_columns(strokes: int) -> list[range]:
    """The columns of the second row for each stroke."""
    size = STROKE + _COLOR
    return [range(PROBES.stop + size * index, PROBES.stop + size * (index + 1)) for index in range(strokes)]


def further_numbers(augmentation: AugmentationConfig) -> int:
    """How many numbers the second row of each image has; 0 if no change needs it."""
    if augmentation.strokes:
        return stroke_columns(augmentation.strokes)[-1].stop
    needed = augmentation.perspective or augmentation.bend or augmentation.recolor_probability
    return PROBES.start if needed else 0


def draw(seed: np.ndarray, shape: tuple[int, ...], augmentation: AugmentationConfig) -> Draws:
    """Draw the random numbers for a batch. They equal those of `tf.random.stateless_uniform` to the last bit.

    The engine for TensorFlow does not use this function. It draws inside its compiled step, which makes a step 4 %
    faster.

    Args:
        seed: int32 (2,); decides everything.
        shape: (B, H, W, C).
        augmentation: what is needed.
    """
    numbers = _uniform(seed, (shape[0], NUMBERS), 1.0)
    if augmentation.invert_probability:
        # From a stream of its own: a fifteenth number in each row would change those of all rows.
        inversion = _uniform(_folded(seed, INVERSION_STREAM), (shape[0], 1), 1.0)
        numbers = np.concatenate([numbers, inversion], axis=1)
    noise, further = None, None
    if augmentation.noise_stddev:
        noise = _uniform(_folded(seed, NOISE_STREAM), shape, NOISE_BOUND)
    if width := further_numbers(augmentation):
        further = _uniform(_folded(seed, FURTHER_STREAM), (shape[0], width), 1.0)
    return Draws(numbers, noise, further)


def _folded(seed: np.ndarray, stream: int) -> np.ndarray:
    """The seed of another stream of numbers."""
    return np.array([_bits(seed, 1).view(np.int32)[0], stream], np.int32)


def _uniform(seed: np.ndarray, shape: tuple[int, ...], bound: float) -> np.ndarray:
    """Uniform float32 numbers in [-bound, bound), in the given shape."""
    # 23 random bits become the fraction of a number between 1 and 2.
    mantissas = _bits(seed, math.prod(shape)) & np.uint32(0x7FFFFF) | np.uint32(0x3F800000)
    even = mantissas.view(np.float32) - np.float32(1)
    low, high = np.float32(-bound), np.float32(bound)
    return (even * (high - low) + low).reshape(shape)


def _bits(seed: np.ndarray, count: int) -> np.ndarray:
    """Random uint32 (count,)."""
    words = np.asarray(seed, np.int32).astype(np.int64).view(np.uint32)  # two words for each seed, the lower word first
    mixed = _philox(words[None, :], _FIRST_KEY)[0]
    counters = np.zeros((-(-count // 4), 4), np.uint32)
    counters[:, 0] = np.arange(len(counters))
    counters[:, 2:] = mixed[2:]
    return _philox(counters, mixed[:2]).reshape(-1)[:count]


def _philox(counters: np.ndarray, key: np.ndarray) -> np.ndarray:
    """Philox 4x32-10: counters uint32 (N, 4) and a key uint32 (2,) to random uint32 (N, 4).

    Source:
        Salmon et al. 2011.
    """
    a, b, c, d = counters.T.astype(np.uint64)
    for _ in range(_ROUNDS):
        left, right = a * _MULTIPLIERS[0], c * _MULTIPLIERS[1]
        a, c = right >> _HALF ^ b ^ np.uint64(key[0]), left >> _HALF ^ d ^ np.uint64(key[1])
        b, d = right & _LOW, left & _LOW
        key = key + _KEY_STEPS
    return np.stack([a, b, c, d], axis=1).astype(np.uint32)

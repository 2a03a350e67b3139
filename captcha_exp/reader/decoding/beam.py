"""CTC prefix beam search over a batch, with or without an automaton."""

from dataclasses import dataclass

import numpy as np

from captcha_exp.reader.decoding.automaton import DEAD, Automaton
from captcha_exp.reader.decoding.emissions import floored
from captcha_exp.reader.vocabulary import BLANK

# Prefixes are compared by a rolling hash of 64 bits instead of character by character.
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_EMPTY = np.uint64(1)
# Two hashes that differ from all others: for the parent of the empty prefix, and for places without a prefix.
_NO_PARENT, _NO_PREFIX = np.uint64(0), np.uint64(2)


@dataclass
class _Beam:
    """The prefixes of each image, (B, W), with their probabilities of ending in a blank or in their last character."""

    blank: np.ndarray
    ended: np.ndarray
    last: np.ndarray
    node: np.ndarray
    prefix: np.ndarray
    parent: np.ndarray


def beam_search(
    probabilities: np.ndarray, width: int, automaton: Automaton | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Search for likely texts of each image.

    A prefix is dropped at once if no accepted text can continue it in the remaining steps. So any width finds at least
    one accepted text, if there is one.

    Args:
        probabilities: float32 (B, T, K), class 0 the blank.
        width: the most prefixes W to keep at each step, at least 1.
        automaton: the possible texts; None for every text.

    Returns:
        Class ids int (B, W, L), padded with the blank; and bool (B, W), whether a place holds a text.

    Source:
        Graves 2012, section 7.5.3; Hannun et al. 2014, algorithm 1.
    """
    emissions = floored(probabilities)
    steps = probabilities.shape[1]
    beam = _start(len(probabilities))
    history = []
    for step in range(steps):
        stay, ended, extended = _grow(beam, emissions[:, step], automaton, steps - 1 - step)
        beam, origin, added = _best(beam, stay, ended, extended, width, automaton)
        history.append((origin, added))
    found = beam.blank + beam.ended > 0
    if automaton is not None:
        found &= automaton.accepting[automaton.state[beam.node]]
    return _trace(history, beam.prefix.shape[1]), found


def _start(images: int) -> _Beam:
    ones, zeros = np.ones((images, 1)), np.zeros((images, 1))
    ids = zeros.astype(np.int64)
    return _Beam(ones, zeros, ids, ids, np.full((images, 1), _EMPTY), np.full((images, 1), _NO_PARENT))


def _grow(
    beam: _Beam, emission: np.ndarray, automaton: Automaton | None, steps_left: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities after a step: to stay, by blank or last character, (B, W) each, and to go on, (B, W, C)."""
    total = beam.blank + beam.ended
    stay = total * emission[:, BLANK, np.newaxis]
    ended = beam.ended * np.take_along_axis(emission, beam.last, axis=1)
    extended = total[..., np.newaxis] * emission[:, np.newaxis, 1:]
    images, places = np.nonzero(beam.last != BLANK)
    last = beam.last[images, places]
    # Two equal characters without a blank between them count as one.
    extended[images, places, last - 1] = beam.blank[images, places] * emission[images, last]
    if automaton is not None:
        reached = automaton.next[automaton.state[beam.node]]  # (B, W, C)
        extended[(reached == DEAD) | (automaton.steps[reached] > steps_left)] = 0.0
        stay[automaton.steps_after_blank[automaton.state[beam.node]] > steps_left] = 0.0
        ended[automaton.steps[beam.node] > steps_left] = 0.0
    # If a longer prefix is already in the beam, it takes the probability that its parent would give to a copy of it.
    images, children, parents = np.nonzero(beam.parent[:, :, np.newaxis] == beam.prefix[:, np.newaxis, :])
    last = beam.last[images, children]
    ended[images, children] += extended[images, parents, last - 1]
    extended[images, parents, last - 1] = 0.0
    return stay, ended, extended


def _best(
    beam: _Beam, stay: np.ndarray, ended: np.ndarray, extended: np.ndarray, width: int, automaton: Automaton | None
) -> tuple[_Beam, np.ndarray, np.ndarray]:
    """The likeliest prefixes: for each, its place in the old beam and the added character (0 for none)."""
    classes = extended.shape[2]
    scores = np.concatenate([(stay + ended)[..., np.newaxis], extended], axis=2)
    scores = scores.reshape(len(scores), -1)  # (B, W, K) -> (B, W * K)
    if scores.shape[1] > width:
        chosen = np.argpartition(-scores, width - 1, axis=1)[:, :width]
    else:
        chosen = np.broadcast_to(np.arange(scores.shape[1]), scores.shape)
    origin, added = chosen // (classes + 1), chosen % (classes + 1)
    score = np.take_along_axis(scores, chosen, axis=1)
    grown = _Beam(stay, ended, beam.last, beam.node, beam.prefix, beam.parent)
    return _moved(grown, score, origin, added, automaton), origin, added


def _moved(
    grown: _Beam, score: np.ndarray, origin: np.ndarray, added: np.ndarray, automaton: Automaton | None
) -> _Beam:
    """The beam of the chosen prefixes, made from the old beam and the probabilities to stay."""
    old = _Beam(*(np.take_along_axis(values, origin, axis=1) for values in vars(grown).values()))
    alive, moved = score > 0, added != BLANK
    scale = score.max(axis=1, keepdims=True)
    node = old.node
    if automaton is not None:
        node = np.where(moved & alive, automaton.next[automaton.state[node], added - 1], node)
    extended = (old.prefix + added.astype(np.uint64)) * _FACTOR
    return _Beam(
        blank=np.where(moved, 0.0, old.blank) / scale,
        ended=np.where(moved, score, old.ended) / scale,
        last=np.where(moved, added, old.last),
        node=node,
        prefix=np.where(alive, np.where(moved, extended, old.prefix), _NO_PREFIX),
        parent=np.where(alive, np.where(moved, old.prefix, old.parent), _NO_PARENT),
    )


def _trace(history: list[tuple[np.ndarray, np.ndarray]], places: int) -> np.ndarray:
    """Class ids of each prefix, (B, W, T), traced back to the start and padded with the blank at the end."""
    images = history[0][0].shape[0]
    place = np.broadcast_to(np.arange(places), (images, places))
    emitted = np.zeros((images, places, len(history)), np.int64)
    for step in range(len(history) - 1, -1, -1):
        origin, added = history[step]
        emitted[:, :, step] = np.take_along_axis(added, place, axis=1)
        place = np.take_along_axis(origin, place, axis=1)
    # A blank is a step without a new character. Move the blanks to the end, and keep the order of the rest.
    order = np.argsort(emitted == BLANK, axis=2, kind="stable")
    return np.take_along_axis(emitted, order, axis=2)

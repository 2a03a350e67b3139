"""Exact probabilities of texts and of sets of texts: the sum over all their CTC alignments."""

from functools import lru_cache

import numpy as np

from captcha_exp.reader.decoding.automaton import Automaton
from captcha_exp.reader.decoding.emissions import floored, log_sum
from captcha_exp.reader.decoding.word_tree import Tree
from captcha_exp.reader.vocabulary import BLANK

# Numbers in each array of a recursion over several images, so that the arrays stay in the processor's cache.
_CACHED = 1 << 15


def log_text_probability(probabilities: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Log probability of texts.

    Args:
        probabilities: float32 (B, T, K), class 0 the blank.
        ids: int (B, N, L), class ids of N texts for each image, padded with the blank.

    Returns:
        float64 (B, N), at most 0; minus infinity if a text does not fit into T steps.

    Source:
        Graves et al. 2006, section 4.1.
    """
    images, texts, longest = ids.shape
    lengths = (ids != BLANK).sum(axis=2)  # (B, N)
    longest = int(lengths.max(initial=0))
    states = np.zeros((images, texts, 2 * longest + 1), np.int64)  # a blank before, between and after the characters
    states[:, :, 1::2] = ids[:, :, :longest]
    # A character may follow another one without a blank, unless the two are equal.
    skips = np.zeros(states.shape)
    skips[:, :, 3::2] = states[:, :, 3::2] != states[:, :, 1:-2:2]
    emissions = floored(probabilities)
    alpha = np.zeros(states.shape)
    alpha[:, :, :2] = 1.0
    log_scale = np.zeros((images, texts))
    for step in range(probabilities.shape[1]):
        if step:
            before = alpha
            alpha = before.copy()
            alpha[:, :, 1:] += before[:, :, :-1]
            alpha[:, :, 2:] += before[:, :, :-2] * skips[:, :, 2:]
        alpha *= np.take_along_axis(emissions[:, step, np.newaxis], states, axis=2)
        alpha, log_scale = _rescaled(alpha, log_scale)
    last = np.take_along_axis(alpha, 2 * lengths[..., np.newaxis], axis=2)[..., 0]
    last += np.where(lengths, np.take_along_axis(alpha, np.maximum(2 * lengths - 1, 0)[..., np.newaxis], 2)[..., 0], 0)
    with np.errstate(divide="ignore"):
        return np.minimum(np.log(last) + log_scale, 0.0)


def log_language_probability(
    probabilities: np.ndarray, automaton: Automaton, at_least: np.ndarray | None = None
) -> np.ndarray:
    """Log probability that an automaton accepts the text.

    Args:
        probabilities: float32 (B, T, K), class 0 the blank.
        automaton: the texts.
        at_least: float64 (B,), a known lower bound of the result, for instance the log probability of one text. It
            allows to skip texts that together make less than a `NEGLIGIBLE` share of the result.

    Returns:
        float64 (B,), at most 0.

    Source:
        The forward recursion of Graves et al. 2006. A state is a node, with its character or a blank as the last step.
    """
    bounds = np.full(len(probabilities), -np.inf) if at_least is None else at_least
    flow = _flow(automaton)
    if isinstance(flow, Tree):
        # Word lists are large. One image at a time keeps the arrays in the processor's cache.
        return np.array(
            [flow.log_accepted(floored(row), bound) for row, bound in zip(probabilities, bounds, strict=True)]
        )
    blocks = range(0, len(probabilities), flow.images_at_once)
    logs = [flow.log_accepted(floored(probabilities[first : first + flow.images_at_once])) for first in blocks]
    return np.concatenate([np.empty(0), *logs])


@lru_cache(4)
def _flow(automaton: Automaton) -> "Tree | _Flow":
    return Tree(automaton) if automaton.is_tree else _Flow(automaton)


class _Flow:
    """How probability moves through an automaton in one time step."""

    def __init__(self, automaton: Automaton) -> None:
        self._automaton = automaton
        source, target, same = automaton.edges()
        self._target = target.astype(np.intp)
        self._node_starts = np.flatnonzero(np.diff(automaton.state, prepend=-1))
        # The whole state passes over an edge, except for the state's node with the edge's own character.
        self._passing = np.where(same >= 0, same, len(automaton.state) + source)
        self.images_at_once = max(1, _CACHED // max(len(target), len(automaton.state)))

    def log_accepted(self, emissions: np.ndarray) -> np.ndarray:
        """Log probability of all accepted texts, (B, T, K) -> (B,). No text is skipped."""
        automaton, images = self._automaton, len(emissions)
        ended = np.zeros((images, len(automaton.state)))  # that the last step emitted the node's character
        blank = np.zeros((images, len(automaton.accepting)))  # that it emitted the blank, in this state
        blank[:, 0] = 1.0
        log_scale = np.zeros(images)
        targets = (np.arange(images)[:, np.newaxis] * ended.shape[1] + self._target).ravel()
        for step in emissions.swapaxes(0, 1):  # (B, K)
            entering, total = self._entering(ended, blank)
            ended += np.bincount(targets, entering.ravel(), ended.size).reshape(ended.shape)
            ended *= step[:, automaton.character]
            blank = total * step[:, BLANK, np.newaxis]
            scale = np.maximum(ended.max(axis=1), blank.max(axis=1))
            ended /= scale[:, np.newaxis]
            blank /= scale[:, np.newaxis]
            log_scale += np.log(scale)
        totals = self._totals(ended) + blank
        return np.array(
            [log_sum(row, automaton.accepting, scale) for row, scale in zip(totals, log_scale.tolist(), strict=True)]
        )

    def _entering(self, ended: np.ndarray, blank: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The probability that passes over each edge, (B, E), and the probability of each state, (B, S).

        Two equal characters without a blank between them count as one. So if the last step emitted the edge's own
        character, that probability does not pass.
        """
        state = self._automaton.state
        sums = self._totals(ended)
        of_node = sums[:, state]
        dominant = ended > 0.5 * of_node
        # If nearly all is subtracted, a difference would lose its digits. In that case the rest is summed again.
        without_dominant = self._totals(np.where(dominant, 0.0, ended))
        rest = np.where(dominant, without_dominant[:, state], of_node - ended) + blank[:, state]
        total = sums + blank
        return np.concatenate([rest, total], axis=1)[:, self._passing], total

    def _totals(self, ended: np.ndarray) -> np.ndarray:
        return np.add.reduceat(ended, self._node_starts, axis=1)


def _rescaled(alpha: np.ndarray, log_scale: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rescale, so that products of many small numbers stay within the range of float64."""
    scale = alpha.max(axis=2)
    scale = np.where(scale > 0, scale, 1.0)
    return alpha / scale[..., np.newaxis], log_scale + np.log(scale)

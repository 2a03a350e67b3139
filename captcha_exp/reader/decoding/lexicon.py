"""Word lists as state tables."""

from collections.abc import Sequence

import numpy as np

from captcha_exp.reader.decoding.automaton import DEAD
from captcha_exp.reader.decoding.budget import MAX_LEXICON_CELLS
from captcha_exp.reader.vocabulary import BLANK


def lexicon_states(ids: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray] | None:
    """The state table of a trie.

    Args:
        ids: int (N, L), class ids of N words, at least one, padded with the blank. A word may occur twice.
        classes: number of characters C.

    Returns:
        int (S, C) transitions and bool (S,) accepting states, as for `automaton_of`; None if they would be too
        large.
    """
    # Sorting puts words with equal first characters side by side. A new state begins where a word differs from the one
    # before.
    words = np.unique(ids, axis=0)
    count, longest = words.shape
    shares = np.ones((count, longest), bool)
    shares[0] = False
    shares[1:] = np.logical_and.accumulate(words[1:] == words[:-1], axis=1)
    inside = words != BLANK
    new = inside & ~shares
    states = int(new.sum()) + 1
    if states * classes > MAX_LEXICON_CELLS:
        return None
    # Number the states depth by depth, so each state's number is higher than its parent's.
    numbers = np.cumsum(new.T.ravel()).reshape(longest, count).T
    first = np.maximum.accumulate(np.where(new, np.arange(count)[:, np.newaxis], 0), axis=0)
    state = np.where(inside, np.take_along_axis(numbers, first, axis=0), 0)  # (N, L), the state of each prefix
    parent = np.concatenate([np.zeros((count, 1), state.dtype), state[:, :-1]], axis=1)
    transitions = np.full((states, classes), DEAD, np.int32)
    transitions[parent[new], words[new] - 1] = state[new]
    accepting = np.zeros(len(transitions), bool)
    accepting[state.max(axis=1, initial=0)] = True
    return transitions, accepting


def encode_words(words: Sequence[str], characters: str) -> np.ndarray:
    """Class ids of one or more words that use only the given characters, int32 (N, L), padded with the blank."""
    longest = max(map(len, words))
    codes = np.array(words, dtype=f"U{max(longest, 1)}").view(np.uint32).reshape(len(words), -1)  # (N, L)
    table = np.array(sorted(map(ord, characters)), np.uint32)
    ids_of = np.array([characters.index(chr(code)) + 1 for code in table])
    places = np.minimum(np.searchsorted(table, codes), len(table) - 1)
    lengths = np.array([len(word) for word in words])
    inside = np.arange(codes.shape[1]) < lengths[:, np.newaxis]
    return np.where(inside, ids_of[places], BLANK).astype(np.int32)

"""Plain definitions that the fast code is held to."""

import itertools
from collections import defaultdict

import numpy as np

from captcha_exp.reader.decoding import Automaton


def random_probabilities(seed: int, batch: int, time_steps: int, classes: int) -> np.ndarray:
    logits = np.random.default_rng(seed).normal(scale=1.5, size=(batch, time_steps, classes))
    return (np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)).astype(np.float32)


def collapse(path: tuple[int, ...], characters: str) -> str:
    """Merge equal neighbours, then drop blanks."""
    return "".join(characters[state - 1] for state, _ in itertools.groupby(path) if state != 0)


def exhaustive(probabilities: np.ndarray, characters: str) -> dict[str, float]:
    """The probability of every text, summed over all alignments of (T, K)."""
    texts: dict[str, float] = defaultdict(float)
    time_steps, classes = probabilities.shape
    for path in itertools.product(range(classes), repeat=time_steps):
        texts[collapse(path, characters)] += float(np.prod(probabilities[range(time_steps), path], dtype=np.float64))
    return texts


def accepts(automaton: Automaton, text: str, characters: str) -> bool:
    """Walk an automaton character by character."""
    state = 0
    for character in text:
        node = automaton.next[state, characters.index(character)]
        if node < 0:
            return False
        state = automaton.state[node]
    return bool(automaton.accepting[state])


def texts_up_to(length: int, characters: str) -> list[str]:
    return ["".join(text) for n in range(length + 1) for text in itertools.product(characters, repeat=n)]


def random_pattern(random: np.random.Generator, depth: int) -> str:
    """A regular expression over a, b and c of everything that is supported."""
    kind = random.integers(7 if depth else 3)
    if kind == 0:
        return str(random.choice(["a", "b", "c", r"\w", r"\x61", r"[^\W]"]))
    if kind == 1:
        return str(random.choice(["[ab]", "[^a]", "[a-c]", "[^b-c]", "."]))
    if kind == 2:
        return str(random.choice(list("abc")))
    if kind == 3:
        return f"(?:{random_pattern(random, depth - 1)}|{random_pattern(random, depth - 1)})"
    if kind == 4:
        return f"({random_pattern(random, depth - 1)}){random.choice(list('?*+'))}"
    if kind == 5:
        least = int(random.integers(3))
        most = random.choice(["", f",{least + int(random.integers(3))}", ","])
        return f"({random_pattern(random, depth - 1)}){{{least}{most}}}"
    return random_pattern(random, depth - 1) + random_pattern(random, depth - 1)

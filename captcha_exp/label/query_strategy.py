"""Which images to label next: a random part for the test, and of the others the most uncertain and most different."""

from collections.abc import Collection, Sequence

import numpy as np

# A batch is chosen among this share of the candidates, the least certain ones, and among so many times as many at most.
_UNCERTAIN_SHARE = 0.25
_CHOICE = 8


def held_out(digests: Sequence[str], test_every: int | None) -> list[int]:
    """The images that can become test images, in the order in which they are asked for.

    They are those with the smallest digests of their files: a random sample of all images, which no model, no start of
    the command and no label changes. They are never chosen for training, so the choice for training cannot make the
    test easier or harder.

    Args:
        digests: of each image's file.
        test_every: one of so many images is held out; None holds out none.
    """
    return in_random_order(digests)[: len(digests) // test_every] if test_every else []


def in_random_order(digests: Sequence[str]) -> list[int]:
    """All images in a random order, the same at every start of the command."""
    return sorted(range(len(digests)), key=digests.__getitem__)


def most_worth(
    candidates: Sequence[int], confidences: np.ndarray | None, thumbnails: np.ndarray, known: Collection[int], size: int
) -> list[int]:
    """The images that are most worth a label, in order.

    Of the candidates with the least confidence, those are taken that are farthest from all known ones and from one
    another.

    Args:
        candidates: places of images without a label.
        confidences: for every image the exact probability of the text that the model reads, in [0, 1]; None without a
            model. Then the first candidates count as the least certain ones.
        thumbnails: float32 (N, D).
        known: places of labelled images.
        size: how many to choose.

    Source:
        Lewis and Gale 1994 (uncertainty); Sener and Savarese 2018, algorithm 1 (farthest first).
    """
    places = np.asarray(candidates, dtype=np.int64)
    if confidences is not None:
        places = places[np.argsort(confidences[places], kind="stable")]
    places = places[: max(size, min(_CHOICE * size, int(_UNCERTAIN_SHARE * len(places))))]
    chosen = _farthest_first(thumbnails[places], thumbnails[sorted(known)], size)
    return [int(places[one]) for one in chosen]


def _farthest_first(candidates: np.ndarray, known: np.ndarray, size: int) -> list[int]:
    """Rows of `candidates` (M, D), each the farthest from `known` (L, D) and from the rows before it."""
    distances = _squared(candidates, known).min(axis=1) if len(known) else np.full(len(candidates), np.inf)
    chosen: list[int] = []
    for _ in range(min(size, len(candidates))):
        farthest = int(distances.argmax())
        chosen.append(farthest)
        distances = np.minimum(distances, _squared(candidates, candidates[farthest : farthest + 1])[:, 0])
        distances[farthest] = -1
    return chosen


def _squared(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Squared distances, (M, L)."""
    squares = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)[None, :]
    return np.maximum(squares - 2 * left @ right.T, 0)

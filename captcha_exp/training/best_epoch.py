"""Chooses the epoch of a training to keep."""

from collections.abc import Mapping, Sequence


def best_epoch(history: Sequence[Mapping[str, float]]) -> int:
    """Return the epoch with the highest validation sequence accuracy.

    Among equal epochs the one with the lowest validation loss wins, then the first. Without validation metrics nothing
    can choose, so it is the last epoch.

    Args:
        history: metrics of each epoch, at least one.
    """
    if "val/sequence_accuracy" not in history[0]:
        return len(history) - 1
    keys = [(-metrics["val/sequence_accuracy"], metrics["val/ctc_loss"]) for metrics in history]
    return keys.index(min(keys))


def out_of_patience(history: Sequence[Mapping[str, float]], patience: int | None) -> bool:
    """Tell whether none of the last `patience` epochs was the best so far. With None, always False."""
    return patience is not None and len(history) > patience and len(history) - 1 - best_epoch(history) >= patience

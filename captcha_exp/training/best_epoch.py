"""Which epoch of a training is the one to keep."""

from collections.abc import Mapping, Sequence


def best_epoch(history: Sequence[Mapping[str, float]]) -> int:
    """The epoch of the highest validation sequence accuracy; of equal ones that of the lowest loss, then the first.

    Without validation metrics there is nothing to choose by, and it is the last.

    Args:
        history: metrics of each epoch, at least one.
    """
    if "val/sequence_accuracy" not in history[0]:
        return len(history) - 1
    keys = [(-metrics["val/sequence_accuracy"], metrics["val/ctc_loss"]) for metrics in history]
    return keys.index(min(keys))


def out_of_patience(history: Sequence[Mapping[str, float]], patience: int | None) -> bool:
    """Whether none of the last `patience` epochs was the best so far; never with null."""
    return patience is not None and len(history) > patience and len(history) - 1 - best_epoch(history) >= patience

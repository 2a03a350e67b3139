"""How a sweep tells others which of its trials are results, and in which order."""

import math

# The tag of a sweep's run with the metric that orders its trials, e.g. "maximize best/val/sequence_accuracy".
OBJECTIVE_TAG = "objective"
# The tag with `sweep.constraints` as JSON. A run beyond them is no result, although it finished.
CONSTRAINTS_TAG = "constraints"


def is_limit(text: str) -> bool:
    """Whether a text is `<=` or `>=` and a number."""
    try:
        return text.startswith(("<=", ">=")) and math.isfinite(float(text[2:]))
    except ValueError:
        return False


def beyond_limit(value: float, limit: str) -> float:
    """How far `value` is beyond a limit of the form that `is_limit` accepts; at most 0 if it is not."""
    number = float(limit[2:])
    return value - number if limit.startswith("<=") else number - value

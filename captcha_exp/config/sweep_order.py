"""What sweeps and the store agree on: which trials are results, in which order, and what names runs to learn from."""

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


# Before what names runs in `sweep.warm_start`; anything else names a sweep.
RUN, EXPERIMENT = "run:", "experiment:"
_WHERE = " where "


def run_sources(entry: object) -> list[str]:
    """An entry of `sweep.warm_start` as texts: `{experiment: NAME, filter: TEXT}` is one, `{runs: [ID]}` one each."""
    if not isinstance(entry, dict):
        return [str(entry)]
    if set(entry) == {"runs"} and isinstance(entry["runs"], list):
        return [f"{RUN}{run_id}" for run_id in entry["runs"]]
    if {"experiment"} <= set(entry) <= {"experiment", "filter"}:
        condition = entry.get("filter")
        return [f"{EXPERIMENT}{entry['experiment']}{f'{_WHERE}{condition}' if condition else ''}"]
    return [str(entry)]  # it is no source; the message shows it


def names_runs(source: str) -> bool:
    """Whether an entry names runs, and no sweep."""
    return source.startswith((RUN, EXPERIMENT))


def split_run_source(source: str) -> tuple[str, str, str]:
    """`run` or `experiment`, the id or name, and a filter of MLflow, which may be empty."""
    kind, _, rest = source.partition(":")
    name, _, condition = rest.partition(_WHERE) if kind == "experiment" else (rest, "", "")
    return kind, name, condition

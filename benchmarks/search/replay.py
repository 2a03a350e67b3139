"""Replay searches on the recorded curves and say what each method spends.

Run: python -m benchmarks.search.replay [--tables easy hard] [--methods NAME ...] [--workers 1 8] [--seeds 30]

Prints a Markdown table for each set and number of workers: the epochs until a finished trial was within half a point of
the best recorded accuracy, as median and quartiles over the seeds, and the mean regret after 100, 200 and 400 epochs
with its 95 % interval.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import optuna

from benchmarks.search.methods import METHODS, build
from benchmarks.search.simulation import Trace, simulate
from benchmarks.search.tables import DATASETS, EPOCHS, Table, read_table

BUDGET = 50 * EPOCHS
NEAR = 0.005
_AFTER = (100, 200, 400)


def main() -> int:
    """Simulate all that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", nargs="+", choices=DATASETS, default=list(DATASETS))
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--workers", nargs="+", type=int, default=[1])
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--json", type=Path, help="also keep the regrets here, for the picture")
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    kept = {}
    for name in options.tables:
        table = read_table(name)
        for workers in options.workers:
            print(f"\n{name}, {len(table.curves)} recorded trainings, best {table.best:.4f}, {workers} workers\n")
            print("| method | epochs to half a point | not reached |" + "".join(f" regret after {e} |" for e in _AFTER))
            print("|---|---|---|" + "---|" * len(_AFTER))
            for method in options.methods:
                traces = [simulate(table, build(method, seed), workers, BUDGET) for seed in range(options.seeds)]
                print(row(method, table, traces), flush=True)
                kept[f"{name}/{workers}/{method}"] = regrets(table, traces).tolist()
    if options.json:
        options.json.write_text(json.dumps(kept))
    return 0


def row(method: str, table: Table, traces: list[Trace]) -> str:
    """A method as a row."""
    spent = [trace.epochs_to(table.best - NEAR) for trace in traces]
    reached = np.percentile([BUDGET if epochs is None else epochs for epochs in spent], [50, 25, 75])
    shown = "{:.0f} ({:.0f} to {:.0f})".format(*reached)
    cells = []
    for epochs in _AFTER:
        regret = np.array([table.best - trace.best_after(epochs) for trace in traces])
        cells.append(f"{100 * regret.mean():.2f} ± {196 * regret.std(ddof=1) / len(regret) ** 0.5:.2f}")
    return f"| {method} | {shown} | {spent.count(None)} of {len(spent)} | {' | '.join(cells)} |"


def regrets(table: Table, traces: list[Trace]) -> np.ndarray:
    """The mean regret after each tenth epoch: float64 (E,)."""
    return np.array(
        [np.mean([table.best - trace.best_after(epochs) for trace in traces]) for epochs in range(10, BUDGET + 1, 10)]
    )


if __name__ == "__main__":
    sys.exit(main())

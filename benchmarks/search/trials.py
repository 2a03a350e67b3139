"""What a sweep of so many trials spends and finds, on the recorded curves.

Run: python -m benchmarks.search.trials [--trials 12 20 30 40] [--seeds 30]

Prints a row for each number of trials: the mean epochs that were spent, and the mean regret of the best finished trial
in points, with its 95 % interval; first as sweeps are now, then with the median pruner.
"""

import argparse
import sys
from collections.abc import Callable

import numpy as np
import optuna

from benchmarks.search.methods import limited
from benchmarks.search.simulation import Method, simulate
from benchmarks.search.tables import DATASETS, Table, read_table

_ENDLESS = 10**6


def main() -> int:
    """Search each table with each number of trials."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", nargs="+", type=int, default=[12, 20, 30, 40])
    parser.add_argument("--seeds", type=int, default=30)
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    print("| set | trials | epochs | regret |")
    print("|---|---|---|---|")
    for name in DATASETS:
        for n_trials in options.trials:
            for how in ("pausing", "median pruner"):
                build = limited(how, n_trials)
                print(f"| {name} | {n_trials}, {how} {_found(read_table(name), build, options.seeds)}", flush=True)
    return 0


def _found(table: Table, build: Callable[[int], Method], seeds: int) -> str:
    traces = [simulate(table, build(seed), 1, _ENDLESS) for seed in range(seeds)]
    regret = np.array([table.best - trace.best_after(_ENDLESS) for trace in traces])
    half_width = 196 * regret.std(ddof=1) / len(regret) ** 0.5
    epochs = np.mean([trace.epochs for trace in traces])
    return f"| {epochs:.0f} | {100 * regret.mean():.2f} ± {half_width:.2f} |"


if __name__ == "__main__":
    sys.exit(main())

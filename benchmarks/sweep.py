"""Measure how long a sweep takes from an empty folder, and how well its best trial reads.

Run: python -m benchmarks.sweep +sweep=attention [override ...]
"""

import argparse
import csv
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path


def main() -> int:
    """Run the sweep in `--root` (a new temporary folder by default) and print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path)
    options, overrides = parser.parse_known_args()
    root = options.root or Path(tempfile.mkdtemp(prefix="sweep-"))
    started = time.perf_counter()
    code = subprocess.run([sys.executable, "-m", "captcha_exp", *overrides, f"root={root}"], check=False).returncode
    minutes = (time.perf_counter() - started) / 60
    if code:
        return code
    (table,) = (root / "sweeps").glob("*/trials.csv")
    rows = list(csv.DictReader(table.read_text().splitlines()))
    states = Counter(row["state"].lower() for row in rows)
    best = max(float(row["best/val/sequence_accuracy"]) for row in rows if row["best/val/sequence_accuracy"])
    counts = ", ".join(f"{count} {state}" for state, count in states.items())
    print(f"{len(rows)} trials ({counts}) in {minutes:.1f} min; best validation accuracy {best:.4f}; {table.parent}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

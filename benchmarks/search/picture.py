"""Draw what `python -m benchmarks.search.replay --json FILE` kept: the regret of each method over the epochs spent.

Run: python -m benchmarks.search.picture FILE docs/search.png
"""

import argparse
import json
import sys
from pathlib import Path

import matplotlib.pyplot as plt

_STEP = 10
_OURS = "TPE, pausing"  # the default of a sweep


def main() -> int:
    """Write the picture, one panel for each set and number of workers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kept", type=Path)
    parser.add_argument("picture", type=Path)
    options = parser.parse_args()
    regrets = json.loads(options.kept.read_text())
    panels = list(dict.fromkeys(key.rpartition("/")[0] for key in regrets))
    figure, axes = plt.subplots(1, len(panels), figsize=(4.6 * len(panels) + 2, 4), squeeze=False)
    for axis, panel in zip(axes[0], panels, strict=True):
        axis.set_prop_cycle(color=plt.get_cmap("tab20")(range(20)))
        name, workers = panel.split("/")
        for key, values in regrets.items():
            if key.startswith(f"{panel}/"):
                spent = [_STEP * (at + 1) for at in range(len(values))]
                method = key.rpartition("/")[2]
                ours = {"color": "black", "linewidth": 3.5, "zorder": 3} if method == _OURS else {"linewidth": 1.6}
                axis.plot(spent, [100 * value for value in values], label=method, **ours)
        axis.set_title(f"{name}, {workers} worker{'s' if workers != '1' else ''}")
        axis.set_xlabel("epochs spent")
        axis.set_yscale("log")
    axes[0][0].set_ylabel("points below the best recorded accuracy (mean)")
    axes[0][-1].legend(fontsize=8, loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False)
    figure.tight_layout()
    figure.savefig(options.picture, dpi=90)
    return 0


if __name__ == "__main__":
    sys.exit(main())

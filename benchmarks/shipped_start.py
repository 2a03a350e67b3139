"""Make the weights that come with the package, from nothing but this repository.

Run: python -m benchmarks.shipped_start [--root DIR] [override ...]

Trains `+experiment=shipped_start` and writes captcha_exp/experiment/shipped_start.npz; docs/figures.md tells how long
this takes. A second call with the same root continues the training, or packs the trained model again.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from benchmarks.pretraining import run_id
from captcha_exp.config import load_stored_config
from captcha_exp.dataset import prepare_dataset
from captcha_exp.experiment import shipped_start
from captcha_exp.tracking import load_recogniser

_NAME = "shipped_start"
_TARGET = Path(shipped_start.__file__).with_name(shipped_start.PACKED)


def main() -> int:
    """Train, unless that is done, and pack."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path("shipped_start"))
    options, overrides = parser.parse_known_args()
    store = f"sqlite:///{options.root.resolve()}/mlruns/mlflow.db"
    if run_id(options.root, _NAME) is None:
        command = [sys.executable, "-m", "captcha_exp", f"+experiment={_NAME}", f"tracking.run_name={_NAME}"]
        subprocess.run([*command, f"root={options.root}", *overrides], check=True)
    recogniser = load_recogniser(f"runs:/{run_id(options.root, _NAME)}/model", store)
    dataset = prepare_dataset(load_stored_config(recogniser.config).dataset, options.root)
    shipped_start.pack(recogniser, len(dataset.train), _TARGET)
    print(f"{_TARGET}: {_TARGET.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())

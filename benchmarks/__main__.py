"""Measure the figures of docs/, one after another.

Run: python -m benchmarks
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path


def main() -> int:
    """Run each measurement in a new folder; those on real images only if CAPTCHA_EXP_DATA names their folder."""
    root = Path(tempfile.mkdtemp(prefix="bench-"))
    commands = [
        ["benchmarks.sweep", "--root", str(root / "synthetic"), "+sweep=attention"],
        ["benchmarks.framework_cost", "training.epochs=100", "training.threads=1"],
        ["benchmarks.keras_fit"],
        ["benchmarks.prepare"],
        ["benchmarks.audit"],
        ["benchmarks.styled_rate"],
    ]
    if os.environ.get("CAPTCHA_EXP_DATA"):
        real = Path(os.environ["CAPTCHA_EXP_DATA"]).resolve() / "captcha_images_v2"
        data = ["dataset=folder", f"dataset.path={real}"]
        commands.append(["benchmarks.sweep", "--root", str(root / "real"), "+sweep=attention", *data])
        commands.append(["benchmarks.seeds", str(root / "real" / "sweeps" / "attention")])
        commands.append(["captcha_exp.promote", f"root={root / 'real'}", "sweep=attention"])
        store = f"sqlite:///{root / 'real' / 'mlruns' / 'mlflow.db'}"
        commands.append(["benchmarks.predict", "models:/captcha@champion", str(real), store])
        commands.append(["benchmarks.serve_load", "--images", str(real), f"root={root / 'real'}"])
        commands.append(["benchmarks.serve_load", "--images", str(real), "--hostile", f"root={root / 'real'}"])
        commands.append(["benchmarks.pretraining", "--root", str(root / "pretraining")])
    for module, *arguments in commands:
        print(f"== python -m {module} {' '.join(arguments)}", flush=True)
        code = subprocess.run([sys.executable, "-m", module, *arguments], check=False).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())

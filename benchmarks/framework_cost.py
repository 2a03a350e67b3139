"""Measure what this framework adds to the training itself, and what one more trial costs in a warm process.

Run: python -m benchmarks.framework_cost [override ...]
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.inputs import composed
from captcha_exp.config import Config

# Trials that differ as in a sweep, with almost no training, so that only the fixed cost is left.
_TRIALS = [
    ["training.epochs=1", f"transformer.num_heads={heads}", f"transformer.projection_dim={width}"]
    for heads, width in ((1, 32), (2, 64), (4, 96))
]
_TINY = ["dataset.size=200"]


def main() -> int:
    """Measure both, each part in its own processes, and print ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--child", choices=["fit", "trials"], help=argparse.SUPPRESS)
    parser.add_argument("--root", type=Path)
    options, overrides = parser.parse_known_args()
    root = options.root or Path(tempfile.mkdtemp(prefix="cost-"))
    if options.child == "fit":
        print(json.dumps(fit_alone(composed(f"root={root}", *overrides))))
    elif options.child == "trials":
        print(json.dumps(warm_trials(root)))
    else:
        compare_run(root, overrides)
        compare_trials(root)
    return 0


def compare_run(root: Path, overrides: list[str]) -> None:
    """Compare a run as users start it with a process that only does the same fit."""
    # Decode the images before, so that both find them.
    run([sys.executable, "-m", "captcha_exp.prepare", "audit=false", f"root={root}", *overrides])
    cpu = [cpu_seconds()]
    whole = run([sys.executable, "-m", "captcha_exp", f"root={root}", *overrides])
    cpu.append(cpu_seconds())
    bare = json.loads(child("fit", root, overrides))
    cpu.append(cpu_seconds())
    fit = bare["fit"]
    cost = (whole - bare["wall"]) / bare["wall"]
    strict = (whole - fit) / fit
    print(f"whole run {whole:.1f} s; the same fit in a bare process {bare['wall']:.1f} s, including {fit:.1f} s of fit")
    print(f"framework's own cost: {cost:.1%} of the bare process; with imports counted against it, {strict:.1%} of fit")
    # Other work on the machine may slow down only one of the two.
    print(f"processor time: whole run {cpu[1] - cpu[0]:.1f} s, bare process {cpu[2] - cpu[1]:.1f} s")


def compare_trials(root: Path) -> None:
    """Compare the last of several short trials in one process with trials in separate processes."""
    fresh = [run([sys.executable, "-m", "captcha_exp", f"root={root}", *_TINY, *trial]) for trial in _TRIALS]
    warm = json.loads(child("trials", root, []))
    further = warm[-1]
    print("fixed cost of a trial in a fresh process: " + ", ".join(f"{seconds:.1f} s" for seconds in fresh))
    print("one after the other in one process: " + ", ".join(f"{seconds:.1f} s" for seconds in warm))
    print(f"a further trial costs {further / fresh[-1]:.0%} of one in a fresh process")


def fit_alone(config: Config) -> dict[str, float]:
    """Seconds of the fit, and of this whole process."""
    from captcha_exp.dataset import prepare_dataset
    from captcha_exp.dataset.label_knowledge import label_decoder
    from captcha_exp.model.configured import build_configured
    from captcha_exp.training import configure_threads, train

    data = prepare_dataset(config.dataset, config.root_path)
    configure_threads(config.training.threads)
    model = build_configured(config, data.vocabulary.num_classes)
    started = time.perf_counter()
    decoder = label_decoder(config.decoding, data.vocabulary.characters, data.train.labels)
    train(model, data.train, data.validation, decoder, config)
    return {"fit": time.perf_counter() - started, "wall": time.time() - process_start()}


def warm_trials(root: Path) -> list[float]:
    """Seconds of each trial, one after the other in this process. The first includes the imports."""
    from captcha_exp.experiment import run_experiment

    seconds = []
    for trial in _TRIALS:
        started = time.perf_counter()
        run_experiment(composed(f"root={root}", *[*_TINY, *trial]))
        seconds.append(time.perf_counter() - started)
    return seconds


def run(command: list[str]) -> float:
    """Wall seconds of a command from start to end."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def child(part: str, root: Path, overrides: list[str]) -> str:
    """Run this script as a child. Returns the last line that it prints."""
    command = [sys.executable, "-m", "benchmarks.framework_cost", "--child", part, "--root", str(root), *overrides]
    environment = {**os.environ, "FRAMEWORK_COST_STARTED": str(time.time())}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return done.stdout.splitlines()[-1]


def cpu_seconds() -> float:
    """Processor time of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def process_start() -> float:
    """When the parent started this process, in seconds since the epoch."""
    return float(os.environ["FRAMEWORK_COST_STARTED"])


if __name__ == "__main__":
    sys.exit(main())

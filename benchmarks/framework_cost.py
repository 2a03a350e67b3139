"""What this framework adds to the training itself, and what a further trial costs in a process that is already warm.

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

from hydra import compose, initialize_config_dir

from captcha_exp.config import Config, conf_dir, load_config

# Trials that differ as those of a sweep do, with next to no training: what is left is the fixed cost.
_TRIALS = [
    ["training.epochs=1", f"transformer.num_heads={heads}", f"transformer.projection_dim={width}"]
    for heads, width in ((1, 32), (2, 64), (4, 96))
]
_TINY = ["dataset.size=200"]


def main() -> int:
    """Measure both, each part in processes of its own, and print them as ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--child", choices=["fit", "trials"], help=argparse.SUPPRESS)
    parser.add_argument("--root", type=Path)
    options, overrides = parser.parse_known_args()
    root = options.root or Path(tempfile.mkdtemp(prefix="cost-"))
    if options.child == "fit":
        print(json.dumps(fit_alone(composed(root, overrides))))
    elif options.child == "trials":
        print(json.dumps(warm_trials(root)))
    else:
        compare_run(root, overrides)
        compare_trials(root)
    return 0


def compare_run(root: Path, overrides: list[str]) -> None:
    """A run as users start it, against a process that does nothing but the same fit."""
    # Both find the images decoded.
    run([sys.executable, "-m", "captcha_exp.prepare", "audit=false", f"root={root}", *overrides])
    cpu = [cpu_seconds()]
    whole = run([sys.executable, "-m", "captcha_exp", f"root={root}", *overrides])
    cpu.append(cpu_seconds())
    bare = json.loads(child("fit", root, overrides))
    cpu.append(cpu_seconds())
    fit = bare["fit"]
    cost = (whole - bare["wall"]) / bare["wall"]
    strict = (whole - fit) / fit
    print(f"whole run {whole:.1f} s; the same fit in a bare process {bare['wall']:.1f} s, of it fit {fit:.1f} s")
    print(f"framework's own cost: {cost:.1%} of the bare process; with imports counted against it, {strict:.1%} of fit")
    # Other work on the machine stretches the one and not the other.
    print(f"processor time: whole run {cpu[1] - cpu[0]:.1f} s, bare process {cpu[2] - cpu[1]:.1f} s")


def compare_trials(root: Path) -> None:
    """The last of several short trials in one process, against a process for each."""
    fresh = [run([sys.executable, "-m", "captcha_exp", f"root={root}", *_TINY, *trial]) for trial in _TRIALS]
    warm = json.loads(child("trials", root, []))
    further = warm[-1]
    print("fixed cost of a trial in a fresh process: " + ", ".join(f"{seconds:.1f} s" for seconds in fresh))
    print("one after the other in one process: " + ", ".join(f"{seconds:.1f} s" for seconds in warm))
    print(f"a further trial costs {further / fresh[-1]:.0%} of one in a fresh process")


def fit_alone(config: Config) -> dict[str, float]:
    """Seconds of the fit, and of this process until its end."""
    from captcha_exp.dataset import prepare_dataset
    from captcha_exp.model import build_recogniser
    from captcha_exp.training import configure_threads, train

    data = prepare_dataset(config.dataset, config.root_path, lambda line: None)
    configure_threads(config.training.threads)
    size = config.dataset
    model = build_recogniser(
        config.cnn,
        config.transformer,
        size.image_height,
        size.image_width,
        data.vocabulary.num_classes,
        seed=config.training.seed,
    )
    started = time.perf_counter()
    train(model, data.train, data.validation, data.vocabulary.characters, config)
    return {"fit": time.perf_counter() - started, "wall": time.time() - process_start()}


def warm_trials(root: Path) -> list[float]:
    """Seconds of each trial, one after the other in this process; the first bears the imports."""
    from captcha_exp.experiment import run_experiment

    seconds = []
    for trial in _TRIALS:
        started = time.perf_counter()
        run_experiment(composed(root, [*_TINY, *trial]), report=lambda line: None)
        seconds.append(time.perf_counter() - started)
    return seconds


def composed(root: Path, overrides: list[str]) -> Config:
    """The configuration that a command line means."""
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return load_config(compose("config", [f"root={root}", *overrides]))


def run(command: list[str]) -> float:
    """Wall seconds of a command from start to end."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def child(part: str, root: Path, overrides: list[str]) -> str:
    """The last line that this script prints as a child."""
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

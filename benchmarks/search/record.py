"""Record the learning curves that searches are replayed on.

Run: python -m benchmarks.search.record {easy,hard} [--trainings N] [--root DIR]

Trains N configurations, drawn at random, on one thread, and writes benchmarks/search/NAME.csv after each. The first is
the composed defaults. A second call goes on where the first stopped.
"""

import argparse
import csv
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import optuna

from benchmarks.inputs import composed
from benchmarks.search.tables import DATASETS, DEFAULTS, Curve, file_of, row_of, space
from captcha_exp.dataset.label_knowledge import label_decoder


def main() -> int:
    """Train what is not recorded yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=DATASETS)
    parser.add_argument("--trainings", type=int, default=160)
    parser.add_argument("--root", type=Path, default=Path(tempfile.gettempdir()) / "recorded-curves")
    options = parser.parse_args()
    path = file_of(options.name)
    recorded = len(path.read_text().splitlines()) - 1 if path.exists() else 0
    for params in drawn(options.trainings)[recorded:]:
        curve = record([*DATASETS[options.name], f"root={options.root}"], params)
        _append(path, row_of(curve))
        print(f"{curve.best:.3f} {curve.start_s:.1f} s + {curve.epoch_s:.2f} s/epoch {params}", flush=True)
    return 0


def drawn(trainings: int) -> list[dict[str, Any]]:
    """The parameters to record: the defaults, then random ones. More trainings begin with the same."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    found = [dict(DEFAULTS)]
    while len(found) < trainings:
        trial = study.ask()
        space().suggest(trial)
        found.append(trial.params)
    return found


def record(overrides: list[str], params: dict[str, Any]) -> Curve:
    """Train one configuration. Its times are those of the processor, which other work on the machine changes less."""
    import keras

    from captcha_exp.dataset import prepare_dataset
    from captcha_exp.model.configured import build_configured
    from captcha_exp.training import configure_threads, train

    config = composed(*overrides, *space().overrides(params))
    configure_threads(config.training.threads)
    keras.utils.clear_session()
    dataset = prepare_dataset(config.dataset, config.root_path)
    characters = dataset.vocabulary.characters
    ends = [time.process_time()]
    accuracy = []

    def on_epoch(_: int, metrics: dict[str, float]) -> bool:
        accuracy.append(metrics["val/sequence_accuracy"])
        ends.append(time.process_time())
        return False

    model = build_configured(config, len(characters) + 1)
    decoder = label_decoder(config.decoding, characters, dataset.train.labels)
    train(model, dataset.train, dataset.validation, decoder, config, on_epoch)
    epoch_s = (ends[-1] - ends[1]) / (len(accuracy) - 1)
    return Curve(params, tuple(accuracy), ends[1] - ends[0] - epoch_s, epoch_s)


def _append(path: Path, row: dict[str, str]) -> None:
    begins = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, list(row), lineterminator="\n")
        if begins:
            writer.writeheader()
        writer.writerow(row)


if __name__ == "__main__":
    sys.exit(main())

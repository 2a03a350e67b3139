"""Make the weights that come with the package, from nothing but this repository and open fonts.

Run: python -m benchmarks.shipped_start [--root DIR] [--to FILE.npz] [override ...]

Trains `+experiment=shipped_start` and writes captcha_exp/experiment/shipped_start.npz; docs/figures.md tells how long
this takes. With KERAS_BACKEND=jax, a GPU computes. A second call with the same root continues the training.
"""

import argparse
import sys
from pathlib import Path

from benchmarks.inputs import composed
from captcha_exp.config import to_plain
from captcha_exp.dataset import prepare_dataset
from captcha_exp.dataset.label_knowledge import label_decoder
from captcha_exp.experiment import shipped_start
from captcha_exp.model.configured import build_configured
from captcha_exp.terminal import log_to_terminal
from captcha_exp.training import configure_threads, train

_NAME = "shipped_start"
_TARGET = Path(shipped_start.__file__).with_name(shipped_start.PACKED)


def main() -> int:
    """Render, train and pack."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path("shipped_start"))
    parser.add_argument("--to", type=Path, default=_TARGET)
    options, overrides = parser.parse_known_args()
    log_to_terminal()
    config = composed(f"+experiment={_NAME}", f"root={options.root}", *overrides)
    dataset = prepare_dataset(config.dataset, options.root)
    characters = dataset.vocabulary.characters
    configure_threads(config.training.threads)
    model = build_configured(config, dataset.vocabulary.num_classes)
    checkpoints = options.root / _NAME
    decoder = label_decoder(config.decoding, characters, dataset.train.labels)
    train(model, dataset.train, dataset.validation, decoder, config, _told, checkpoints)
    shipped_start.pack(model, characters, to_plain(config), len(dataset.train), options.to)
    print(f"{options.to}: {options.to.stat().st_size / 1e6:.1f} MB")
    return 0


def _told(epoch: int, metrics: dict[str, float]) -> bool:
    """Print an epoch. Nothing ends the training early."""
    values = " ".join(f"{name}={value:.4g}" for name, value in metrics.items())
    print(f"epoch {epoch + 1}: {values}", flush=True)
    return False


if __name__ == "__main__":
    sys.exit(main())

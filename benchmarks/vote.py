"""Tell what the vote of several runs reads, and the mean of their weights, beside the runs themselves.

Run: python -m benchmarks.vote ROOT RUN_NAME ... [--views N] [--split test]

The runs must have one architecture and one dataset, as seeds of one configuration have, and must have been trained with
training.views=1. `training.members` trains such a vote in one run, `training.views` adds the views to it.
"""

import argparse
import sys
from pathlib import Path

import keras

from benchmarks.named_runs import recogniser_of
from captcha_exp.config import load_stored_config
from captcha_exp.dataset import prepare_dataset
from captcha_exp.model import with_probabilities
from captcha_exp.model.evaluator import evaluate
from captcha_exp.model.views import with_views
from captcha_exp.model.voters import build_voters, mean_weights


def main() -> int:
    """Print a line for each run, one for the mean of their weights and one for their vote."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("runs", nargs="+")
    parser.add_argument("--views", type=int, default=1, help="how many views of each image are read")
    parser.add_argument("--split", choices=["validation", "test"], default="validation")
    options = parser.parse_args()
    recognisers = [recogniser_of(options.root, name) for name in options.runs]
    first = recognisers[0]
    split = prepare_dataset(load_stored_config(first.config).dataset, options.root).split(options.split)
    logits = keras.Model(first.model.input, first.model.get_layer("logits").output)
    weights = [recogniser.model.get_weights() for recogniser in recognisers]
    models = dict(zip(options.runs, (recogniser.model for recogniser in recognisers), strict=True))
    if len(weights) > 1:
        models["their vote"] = build_voters(logits, weights)
        mean = keras.models.clone_model(logits)
        mean.set_weights(mean_weights(weights))
        models["the mean of their weights"] = with_probabilities(mean)
    for name, model in models.items():
        seeing = with_views(model, options.views)
        metrics = evaluate(seeing, split.images, split.labels, first.decoder, 32).metrics
        kept, ignored = metrics["sequence_accuracy"], metrics["sequence_accuracy_ignore_case"]
        print(
            f"{name}: {kept:.4f} of {len(split)} {options.split} texts right, {ignored:.4f} ignoring case", flush=True
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())

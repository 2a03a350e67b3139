"""Measure what a model's knowledge of its texts changes on its validation images, and what it costs.

Run: python -m benchmarks.knowledge MODEL [STORE] [ROOT]
"""

import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from captcha_exp.config import load_dataset_config
from captcha_exp.evaluate.held_out import dataset_as_seen
from captcha_exp.metrics.accuracy import kind_of_error
from captcha_exp.metrics.calibration import reliability
from captcha_exp.metrics.comparison import compare
from captcha_exp.model.evaluator import Evaluation, evaluate_probabilities
from captcha_exp.model.forward_pass import ForwardPass
from captcha_exp.reader.decoding import Decoder, Prediction, decode_alternatives
from captcha_exp.tracking import load_recogniser

_ROUNDS = 5


def main() -> int:
    """Read the same images with the same weights with and without the knowledge."""
    address, uri, root = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "", Path((sys.argv[3:] or ["."])[0])
    recogniser = load_recogniser(address, uri)
    split = dataset_as_seen(recogniser, load_dataset_config(recogniser.config["dataset"]), root).validation
    probabilities = ForwardPass(recogniser.model)(split.images)
    known, free = recogniser.decoder, replace(recogniser.decoder, knowledge=None)
    print(f"{len(split)} validation images; {known.knowledge}")
    judged = [show(name, probabilities, split.labels, way) for name, way in (("without", free), ("with", known))]
    right = [[label == text for label, text in zip(one.labels, one.predictions, strict=True)] for one in judged]
    print("with against without:", compare(right[1], right[0], alpha=0.05, resamples=10_000, seed=0))
    print(f"always searched: {share_right(searched(probabilities, known), split.labels):.4f} right")
    return 0


def show(name: str, probabilities: np.ndarray, labels: list[str], decoder: Decoder) -> Evaluation:
    """Print the figures of one way to read, with its processor time."""
    read = evaluate_probabilities(probabilities, labels, decoder)
    right = [label == text for label, text in zip(labels, read.predictions, strict=True)]
    kinds = [kind_of_error(label, text) for label, text in zip(labels, read.predictions, strict=True)]
    started = time.process_time()
    for _ in range(_ROUNDS):
        decoder(probabilities)
    each = (time.process_time() - started) / _ROUNDS / len(labels)
    print(
        f"{name:8s} {read.metrics['sequence_accuracy']:.4f} right, CER {read.metrics['character_error_rate']:.4f}, "
        f"wrong: {kinds.count('length')} in length, {kinds.count('characters')} in characters; calibration error "
        f"{reliability(read.confidences, right).expected_calibration_error:.4f}; {1000 * each:.3f} ms an image"
    )
    return read


def searched(probabilities: np.ndarray, decoder: Decoder) -> list[Prediction]:
    """What the beam search finds in every image, also where the likeliest alignment is possible."""
    return [found[0] for found in decode_alternatives(probabilities, decoder.characters, 1, decoder.automaton)]


def share_right(read: list[Prediction], labels: list[str]) -> float:
    """The share of texts that are right."""
    return sum(one.text == label for one, label in zip(read, labels, strict=True)) / len(labels)


if __name__ == "__main__":
    sys.exit(main())

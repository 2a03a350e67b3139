"""Compare with the starting project's recipe in plain Keras: seconds until 95 % of the validation texts are right.

Run: CAPTCHA_EXP_DATA=DIR python -m benchmarks.plain [--minutes N] [--threads N]

First the starting model's steps are timed, here and in plain Keras. Then both recipes train on `captcha_images_v2`:
this project's defaults, and the starting model with Adam 0.001, batches of 32, `keras.losses.CTC` and `fit`, which ends
after N minutes if it has not arrived by then.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops

from benchmarks.inputs import composed, real_images
from captcha_exp.config import Config
from captcha_exp.dataset import PreparedDataset, prepare_dataset
from captcha_exp.dataset.label_knowledge import label_decoder
from captcha_exp.dataset.prepared import Split
from captcha_exp.model.configured import build_configured
from captcha_exp.reader.image import to_input
from captcha_exp.reader.vocabulary import Vocabulary
from captcha_exp.training import configure_threads, train

_GOAL = 0.95
_BATCH = 32
_ROUNDS = 3
_RATE_IMAGES = 8 * _BATCH


def main() -> int:
    """Print both comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=90)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    folder = ["dataset=folder", f"dataset.path={real_images() / 'captcha_images_v2'}"]
    with tempfile.TemporaryDirectory() as root:
        ours = composed(*folder, f"root={root}", f"training.threads={options.threads}")
        configure_threads(options.threads)
        dataset = prepare_dataset(ours.dataset, Path(root))
        sooner = seconds_to_goal(ours, dataset)
        print(f"this project's defaults: {_GOAL:.0%} of the validation texts after {sooner:.0f} s", flush=True)
        config = composed("+experiment=original", *folder, f"root={root}")
        compare_rates(config, dataset)
        plain, arrived = fit_to_goal(dataset, options.minutes * 60)
    reached = "after" if arrived else "not after"
    print(
        f"plain Keras: {_GOAL:.0%} {reached} {plain:.0f} s, {'' if arrived else 'more than '}{plain / sooner:.1f} times"
    )
    return 0


def seconds_to_goal(config: Config, dataset: PreparedDataset) -> float:
    """Seconds of training, building and compiling included, until the epoch that arrives.

    Raises:
        SystemExit: it never arrives.
    """
    started = time.perf_counter()
    result = train(
        build_configured(config, dataset.vocabulary.num_classes),
        dataset.train,
        dataset.validation,
        label_decoder(config.decoding, dataset.vocabulary.characters, dataset.train.labels),
        config,
        lambda epoch, metrics: metrics["val/sequence_accuracy"] >= _GOAL,
    )
    if result.stopped is None:
        raise SystemExit(f"The defaults did not reach {_GOAL:.0%}.")
    return time.perf_counter() - started


def compare_rates(config: Config, dataset: PreparedDataset) -> None:
    """Time an epoch of the starting model in turn, both after the epoch that compiles."""
    few = dataset.train.only(np.arange(_RATE_IMAGES))
    ratios, ours, plain = [], [], []
    fit = plain_fit(few, dataset.vocabulary)
    for _ in range(_ROUNDS):
        ours.append(our_rate(config, dataset, few))
        plain.append(fit())
        ratios.append(ours[-1] / plain[-1])
    print(
        f"the starting model: {statistics.median(ours):.1f} images/s here, {statistics.median(plain):.1f} in plain "
        f"Keras; {statistics.median(ratios):.2f} times (median of {_ROUNDS} pairs: "
        f"{', '.join(f'{ratio:.2f}' for ratio in ratios)})",
        flush=True,
    )


def our_rate(config: Config, dataset: PreparedDataset, few: Split) -> float:
    """Images per second of the second epoch."""
    twice = config.model_copy(update={"training": config.training.model_copy(update={"epochs": 2})})
    result = train(
        build_configured(config, dataset.vocabulary.num_classes),
        few,
        few.only([]),
        label_decoder(config.decoding, dataset.vocabulary.characters, few.labels),
        twice,
    )
    return result.history[-1]["images_per_second"]


def plain_fit(few: Split, vocabulary: Vocabulary) -> Callable[[], float]:
    """A function that fits one more epoch in plain Keras and returns its images per second. It is compiled."""
    images, labels = arrays(few, vocabulary)
    model = starting_model(vocabulary.num_classes)
    model.compile(keras.optimizers.Adam(0.001), keras.losses.CTC())
    model.fit(images, labels, batch_size=_BATCH, verbose=0)

    def fit() -> float:
        started = time.perf_counter()
        model.fit(images, labels, batch_size=_BATCH, verbose=0)
        return len(images) / (time.perf_counter() - started)

    return fit


def fit_to_goal(dataset: PreparedDataset, most_seconds: float) -> tuple[float, bool]:
    """Seconds of `fit` until the goal, and whether it was reached."""
    images, labels = arrays(dataset.train, dataset.vocabulary)
    held_out, texts = arrays(dataset.validation, dataset.vocabulary)
    model = starting_model(dataset.vocabulary.num_classes)
    model.compile(keras.optimizers.Adam(0.001), keras.losses.CTC())
    started, arrived = time.perf_counter(), False

    def judge(epoch: int, logs: dict[str, float]) -> None:
        nonlocal arrived
        right = np.mean(
            [read == wanted for read, wanted in zip(greedy(model, held_out), map(list, texts), strict=True)]
        )
        passed = time.perf_counter() - started
        print(f"plain Keras, epoch {epoch + 1}: {passed:.0f} s, loss {logs['loss']:.3f}, {right:.1%} right", flush=True)
        arrived = bool(right >= _GOAL)
        model.stop_training = arrived or passed > most_seconds

    model.fit(
        images, labels, batch_size=_BATCH, epochs=10_000, verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=judge)],
    )  # fmt: skip
    return time.perf_counter() - started, arrived


def arrays(split: Split, vocabulary: Vocabulary) -> tuple[np.ndarray, np.ndarray]:
    """Images float32 (N, 50, 200, 1), and class ids int32 (N, 5)."""
    return to_input(split.images[:]), vocabulary.encode(split.labels)


def greedy(model: keras.Model, images: np.ndarray) -> list[list[int]]:
    """The class ids that the best alignment has, without repeats and blanks."""
    best = model.predict(images, batch_size=_BATCH, verbose=0).argmax(axis=-1)
    return [
        [now for now, before in zip(row, [0, *row], strict=False) if now != before and now] for row in best.tolist()
    ]


def starting_model(classes: int) -> keras.Model:
    """The model that this project starts from, written as anybody would: (B, 50, 200, 1) to logits (B, 50, K)."""
    images = keras.Input((50, 200, 1))
    x = images
    for filters, dilation, pool in ((64, 1, 2), (128, 1, 2), (256, 2, (2, 1))):
        x = layers.Conv2D(filters, 3, padding="same", dilation_rate=dilation, activation="swish")(x)
        x = layers.MaxPooling2D(pool)(layers.BatchNormalization()(x))
    x = layers.Reshape((50, 6 * 256))(layers.Permute((2, 1, 3))(x))
    x = layers.Dense(128)(x)
    x = x + layers.Embedding(50, 128)(ops.arange(50))
    for _ in range(2):
        attended = layers.Dropout(0.1)(layers.MultiHeadAttention(8, 128)(x, x))
        x = layers.LayerNormalization(epsilon=1e-6)(x + attended)
        fed = layers.Dropout(0.1)(layers.Dense(128)(layers.Dense(512, activation="relu")(x)))
        x = layers.LayerNormalization(epsilon=1e-6)(x + fed)
    return keras.Model(images, layers.Dense(classes)(x))


if __name__ == "__main__":
    sys.exit(main())

"""Compare training by this project's compiled step with Keras' own `compile` and `fit`, in turn, in one process.

Run: python -m benchmarks.keras_fit [override ...]
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from benchmarks.inputs import composed
from captcha_exp.config import AdamWConfig, Config
from captcha_exp.dataset import PreparedDataset, prepare_dataset
from captcha_exp.dataset.image_spec import image_spec
from captcha_exp.dataset.label_knowledge import label_decoder
from captcha_exp.model.configured import build_configured
from captcha_exp.reader.image import to_input
from captcha_exp.training import configure_threads, train
from captcha_exp.training.augmentation import augment
from captcha_exp.training.draws import draw

_ROUNDS = 3


def main() -> int:
    """Print median processor seconds of the first epoch and of the epochs after it, and their ratios."""
    config = composed("training.epochs=4", "training.threads=1", *sys.argv[1:])
    configure_threads(config.training.threads)
    with tempfile.TemporaryDirectory() as root:
        dataset = prepare_dataset(config.dataset, Path(root))
        pairs = [(seconds(fit_ours, config, dataset), seconds(fit_keras, config, dataset)) for _ in range(_ROUNDS)]
    epochs = planned_epochs(config) - 1
    for what, index in (("first epoch, with building and tracing", 0), (f"the {epochs} epochs after it", 1)):
        ours = statistics.median(pair[0][index] for pair in pairs)
        stock = statistics.median(pair[1][index] for pair in pairs)
        ratio = statistics.median(pair[1][index] / pair[0][index] for pair in pairs)
        print(f"{what}: {ours:.1f} s, Keras' fit {stock:.1f} s of processor time; ratio {ratio:.2f}")
    return 0


def seconds(
    fit: Callable[[Config, PreparedDataset, list[float]], None], config: Config, dataset: PreparedDataset
) -> tuple[float, float]:
    """Processor seconds until the end of the first epoch, and from there to the end."""
    keras.utils.clear_session()
    marks = [time.process_time()]
    fit(config, dataset, marks)
    return marks[1] - marks[0], marks[-1] - marks[1]


def fit_ours(config: Config, dataset: PreparedDataset, marks: list[float]) -> None:
    """Call `train` as an experiment does."""

    def on_epoch(epoch: int, metrics: dict[str, float]) -> bool:
        marks.append(time.process_time())
        return False

    decoder = label_decoder(config.decoding, dataset.vocabulary.characters, dataset.train.labels)
    train(recogniser(config, dataset), dataset.train, dataset.validation, decoder, config, on_epoch)


def fit_keras(config: Config, dataset: PreparedDataset, marks: list[float]) -> None:
    """The same with stock Keras. It reads no text, so it does less."""
    stock_fit(
        config,
        dataset,
        keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: marks.append(time.process_time())),
    )


def stock_fit(config: Config, dataset: PreparedDataset, *callbacks: keras.callbacks.Callback) -> keras.Model:
    """The configured model, trained by Keras' `fit` with the same augmentation, batches and schedule."""
    model, vocabulary, size = recogniser(config, dataset), dataset.vocabulary, config.training.batch_size
    steps = planned_epochs(config) * len(dataset.train) // size
    optimizer = config.optimizer
    weight_decay = optimizer.weight_decay if isinstance(optimizer, AdamWConfig) else 0.0
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, steps, warmup_target=optimizer.learning_rate, warmup_steps=max(1, int(steps * optimizer.warmup_share))
    )
    model.compile(
        keras.optimizers.AdamW(rate, weight_decay=weight_decay, global_clipnorm=optimizer.clip_norm),
        keras.losses.CTC(),
    )
    rows = (to_input(dataset.train.images[:]), vocabulary.encode(dataset.train.labels))
    batches = (
        tf.data.Dataset.from_tensor_slices(rows).shuffle(len(dataset.train), seed=0).batch(size, drop_remainder=True)
    )
    shape = (size, *image_spec(config.dataset).input_shape)
    draws = draw(np.array([1, 2], np.int32), shape, config.augmentation)
    batches = batches.map(lambda images, labels: (augment(images, draws, config.augmentation), labels))
    held_out = (to_input(dataset.validation.images[:]), vocabulary.encode(dataset.validation.labels))
    model.fit(batches, validation_data=held_out, epochs=planned_epochs(config), callbacks=list(callbacks), verbose=0)
    return model


def planned_epochs(config: Config) -> int:
    """The number of epochs of both fits."""
    if config.training.epochs is None:
        raise SystemExit("This benchmark compares epochs: leave training.minutes=null.")
    return config.training.epochs


def recogniser(config: Config, dataset: PreparedDataset) -> keras.Model:
    """The configured model for this dataset, with the same first weights every time."""
    return build_configured(config, dataset.vocabulary.num_classes)


if __name__ == "__main__":
    sys.exit(main())

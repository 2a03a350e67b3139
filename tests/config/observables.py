"""What a configuration does, in values that can be compared: images, splits, graphs, steps, texts, suggestions."""

from dataclasses import dataclass
from itertools import product
from typing import Any

import keras
import numpy as np
import optuna
import tensorflow as tf
from hydra.core.override_parser.overrides_parser import OverridesParser

from captcha_exp.config import BeamConfig, Config, time_steps
from captcha_exp.dataset import prepare_dataset
from captcha_exp.dataset.image_spec import image_spec
from captcha_exp.dataset.label_knowledge import label_decoder
from captcha_exp.dataset.sources import open_source
from captcha_exp.errors import InputError
from captcha_exp.experiment.stage_seconds import Stages
from captcha_exp.experiment.training_stages import TrainingRun
from captcha_exp.model import build_recogniser
from captcha_exp.prepare.audited_samples import AuditedSample
from captcha_exp.prepare.expectations import warnings_of
from captcha_exp.sweep.introduction import description
from captcha_exp.sweep.plan import plan_sweep
from captcha_exp.sweep.samplers import build_pruner, build_sampler, worker_seed
from captcha_exp.sweep.space import Space
from captcha_exp.sweep.storage import open_storage, storage_url
from captcha_exp.sweep.study import definition
from captcha_exp.sweep.tally import Tally
from captcha_exp.tracking.opening import store_uri
from captcha_exp.training import train
from captcha_exp.training.augmentation import augment
from captcha_exp.training.draws import draw
from captcha_exp.training.engines.flat_adam import build_optimizer
from captcha_exp.training.own_augmentation import own_augmentation
from captcha_exp.training.schedules import learning_rate


@dataclass
class Labelled:
    """Images to learn from."""

    images: np.ndarray
    labels: list[str]


LABELS = ["ab", "ba", "aa", "bb", "abb", "bba"]
STEPS, EPOCHS = 10, 12


def opened(config: Config) -> Any:
    """Samples of the source, and the bytes of the first images."""
    try:
        source = open_source(config.dataset, config.root_path / "cache")
    except InputError as error:
        return str(error)
    samples = [(sample.name, sample.label) for sample in source.samples]
    return samples, [source.load(sample.locator) for sample in source.samples[:8]], source.skipped


def prepared(config: Config) -> Any:
    """Pixels, labels and names of each split, and the vocabulary."""
    try:
        dataset = prepare_dataset(config.dataset, config.root_path)
    except InputError as error:
        return str(error)
    splits = [(np.asarray(split.images).tolist(), split.labels, split.names) for split in dataset.splits]
    return splits, dataset.vocabulary.characters, len(dataset.skipped)


def warned(config: Config) -> list[str]:
    """What an audit warns of in twenty files with labels of four letters."""
    samples = [AuditedSample("abcd.png", "abcd", "own", None, "abcd.png")] * 20
    return list(warnings_of(config.dataset.expected, 20, samples))


def graph(config: Config) -> Any:
    """The layers of the model with all their settings."""
    size = config.dataset
    try:
        model = build_recogniser(config.cnn, config.transformer, size.image_height, size.image_width, 4, seed=0)
    except InputError as error:
        return str(error)
    # What follows an operation is named by it: activations that are operations are told apart.
    return [(type(layer).__name__, layer.get_config(), str(layer.output)) for layer in model.layers], time_steps(config)


def altered(config: Config) -> bytes:
    """Augmented images of noise."""
    shape = image_spec(config.dataset).input_shape[2:]
    images = np.random.default_rng(0).integers(0, 256, (6, 12, 24, *(size for size in shape if size > 1)), np.uint8)
    images = own_augmentation(config.augmentation, 0)(images, 0)
    inputs = tf.constant(images.reshape(6, 12, 24, -1).astype(np.float32) / 255)
    draws = draw(np.array([1, 2], np.int32), inputs.shape, config.augmentation)
    return augment(inputs, draws, config.augmentation).numpy().tobytes()


def stepped(config: Config) -> list[list[float]]:
    """Two weights after each of ten steps of growing gradients."""
    weights = [keras.Variable(np.ones((2, 2)), dtype="float32"), keras.Variable(np.ones(2), dtype="float32")]
    optimizer = build_optimizer(weights, config.optimizer)
    apply = tf.function(lambda first, second, rates: optimizer.apply([first, second], rates), autograph=False)
    values = []
    for step in range(STEPS):
        rates = optimizer.next_rates(learning_rate(step, STEPS, config.optimizer))
        apply(np.full((2, 2), step + 1, np.float32), np.full(2, (-1) ** step, np.float32), rates)
        values.append([float(weight.numpy().ravel()[0]) for weight in weights])
    return values


def read(config: Config) -> list[str]:
    """Texts of probabilities whose likeliest path is not that of the likeliest text, for any width of a beam."""
    flat = [[0.4, 0.35, 0.25], [0.4, 0.35, 0.25], [0.3, 0.4, 0.3]]
    noise = np.random.default_rng(5).dirichlet(np.ones(3) * 2, (300, 6))
    batches = [np.array([flat]), noise]
    decoder = label_decoder(config.decoding, "ab", [])
    assert (decoder.beam_width is None) == (not isinstance(config.decoding, BeamConfig))
    return [found.text for batch in batches for found in decoder(batch.astype(np.float32))]


def limited(config: Config) -> list[str]:
    """Texts of noise, for a model whose training labels were all texts of five letters."""
    noise = np.random.default_rng(5).dirichlet(np.ones(3) * 2, (20, 12)).astype(np.float32)
    labels = ["".join(letters) for letters in product("ab", repeat=5)]
    return [found.text for found in label_decoder(config.decoding, "ab", labels)(noise)]


def trained(config: Config) -> Any:
    """Metrics of each epoch of a training on six images."""
    images = np.random.default_rng(0).integers(0, 256, (6, 16, 32), np.uint8)
    model = build_recogniser(config.cnn, config.transformer, 16, 32, 3, seed=config.training.seed)
    learnt, held_out = Labelled(images, LABELS), Labelled(images[:2], LABELS[:2])
    result = train(model, learnt, held_out, label_decoder(config.decoding, "ab", LABELS), config)
    return [{name: value for name, value in epoch.items() if name != "images_per_second"} for epoch in result.history]


def learnt_from(config: Config) -> list[str]:
    """Labels of the images that a run trains on."""
    dataset = prepare_dataset(config.dataset, config.root_path)
    run: Any = None
    return TrainingRun(config, dataset, run, Stages())._learnt().labels


def stored(config: Config) -> list[str]:
    """Where runs and trials are kept."""
    return [store_uri(config.tracking.uri, config.root_path), str(config.root_path), storage_url(config)]


def suggested(config: Config) -> list[tuple[float, int]]:
    """What the first worker tries in twelve trials."""
    sampler = config.sweep.sampler
    study = optuna.create_study(sampler=build_sampler(sampler, Space((), {}), worker_seed(sampler.seed, 0)))
    tried = []
    for _ in range(12):
        trial = study.ask()
        x, y = trial.suggest_float("x", 0, 1), trial.suggest_int("y", 0, 100)
        study.tell(trial, (x - 0.3) ** 2 + y)
        tried.append((x, y))
    return tried


def pruned(config: Config) -> list[int]:
    """After how many epochs each of ten trials with other courses is stopped."""
    study = optuna.create_study(direction="maximize", pruner=build_pruner(config.sweep, EPOCHS))
    rng, lengths = np.random.default_rng(1), []
    for number in range(10):
        trial, course = study.ask(), number % 3 + rng.random(EPOCHS)
        lengths.append(next((n for n in range(EPOCHS) if _stops(trial, course[n], n)), EPOCHS))
        study.tell(trial, course[lengths[-1] - 1])
    return lengths


def _stops(trial: optuna.Trial, value: float, epoch: int) -> bool:
    trial.report(value, epoch)
    return trial.should_prune()


def planned(config: Config) -> Any:
    """What is searched for what, how often, and how that is introduced."""
    plan = plan_sweep(config, [], OverridesParser.create(), {}, lambda overrides: config)
    objectives = definition(config, plan.space, {})["sweep.objectives"]
    return plan.n_trials, plan.first, plan.space.describe(), objectives, description(plan, Tally([]), "")


def beating(config: Config) -> Any:
    """How often the storage expects a sign of life."""
    storage = open_storage("sqlite:///:memory:", config.sweep.heartbeat_s, config.sweep.max_retries)
    return storage.get_heartbeat_interval()

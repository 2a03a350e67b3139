"""Training as a whole."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

from captcha_exp.config import Config
from captcha_exp.dataset.label_knowledge import label_decoder
from captcha_exp.errors import DivergedError, InputError
from captcha_exp.model import with_probabilities
from captcha_exp.model.evaluator import evaluate
from captcha_exp.reader.decoding import Decoder
from captcha_exp.training import FitResult, train
from tests.warm_processes import WarmProcess

METRICS = {
    "train/ctc_loss",
    "val/ctc_loss",
    "val/sequence_accuracy",
    "val/sequence_accuracy_ignore_case",
    "val/character_error_rate",
    "val/length_error_rate",
    "learning_rate",
    "images_per_second",
}
# Everything random at once.
RANDOM = ["augmentation=strong", "transformer.dropout=0.3", "cnn.dropout=0.1", "training.epochs=4"]
EXTRAS = ["training.ema_decay=0.9", "training.auxiliary_ctc=0.3", "training.unaltered_share=0.4"]

Fit = Callable[..., FitResult]


def without_speed(history: list[dict[str, float]]) -> list[dict[str, float]]:
    return [{name: value for name, value in metrics.items() if name != "images_per_second"} for metrics in history]


@pytest.fixture
def fit(build: Callable[..., Any], texts: Any, other_texts: Any, characters: str) -> Fit:
    """Train on the texts; keywords go to `train`, `model` among them."""

    def _fit(config: Config, *, model: Any = None, **keywords: Any) -> FitResult:
        model = model or build(config)
        decoder = label_decoder(config.decoding, characters, texts.labels)
        return train(model, texts, other_texts, decoder, config, **keywords)

    return _fit


def test_history_has_every_metric_of_every_epoch(small: Callable[..., Config], fit: Fit) -> None:
    seen: list[tuple[int, dict[str, float]]] = []
    result = fit(small("training.epochs=3"), on_epoch=lambda epoch, metrics: bool(seen.append((epoch, metrics))))
    assert seen == list(enumerate(result.history))
    assert [set(metrics) for metrics in result.history] == [METRICS] * 3
    assert result.stopped is None
    assert result.fit_seconds > 0


def test_patience_ends_a_training_that_gets_no_better_and_its_best_epoch_is_kept(
    small: Callable[..., Config], fit: Fit, build: Callable[..., Any], texts: Any, other_texts: Any, characters: str
) -> None:
    # A rate at which the loss jumps about.
    config = small(
        "training.epochs=40", "training.patience=2", "optimizer.learning_rate=0.2", "optimizer.schedule=constant"
    )
    model = build(config)
    result = fit(config, model=model)
    assert result.stopped == "patience"
    assert len(result.history) == result.best_epoch + 1 + 2 < 40
    kept = {name.removeprefix("val/"): v for name, v in result.history[result.best_epoch].items() if "val/" in name}
    assert result.best.metrics == kept
    decoder = label_decoder(config.decoding, characters, texts.labels)
    again = evaluate(with_probabilities(model), other_texts.images, other_texts.labels, decoder, 8)
    assert again == result.best


def test_validation_reads_only_what_the_training_labels_allow_unless_told_not_to(
    small: Callable[..., Config], fit: Fit
) -> None:
    """All labels have three characters. A network that has hardly learnt yet reads fewer."""
    knowing, free = (fit(small("training.epochs=1", f"decoding.knowledge={value}")) for value in ("labels", "none"))
    assert knowing.history[0]["val/length_error_rate"] == 0 < free.history[0]["val/length_error_rate"]
    assert knowing.history[0]["train/ctc_loss"] == free.history[0]["train/ctc_loss"]
    assert {len(text) for text in knowing.best.predictions} == {3}
    assert knowing.best.labels == free.best.labels


def test_an_interrupted_training_ends_with_the_metrics_of_an_uninterrupted_one(
    small: Callable[..., Config], fit: Fit, build: Callable[..., Any], tmp_path: Path
) -> None:
    config = small(*RANDOM, *EXTRAS)
    whole = fit(config)

    def interrupt(epoch: int, _: dict[str, float]) -> bool:
        if epoch == 1:
            raise KeyboardInterrupt
        return False

    with pytest.raises(KeyboardInterrupt):
        fit(config, on_epoch=interrupt, checkpoint_dir=tmp_path)
    epochs: list[int] = []
    # Other initial weights, which the checkpoint must replace.
    model = build(config, seed=5)
    resumed = fit(config, model=model, on_epoch=lambda epoch, _: bool(epochs.append(epoch)), checkpoint_dir=tmp_path)
    assert without_speed(resumed.history) == without_speed(whole.history)
    assert (resumed.best_epoch, resumed.best) == (whole.best_epoch, whole.best)
    assert epochs == [0, 1, 2, 3]


def test_a_finished_training_is_not_trained_again(small: Callable[..., Config], fit: Fit, tmp_path: Path) -> None:
    config = small("training.epochs=2")
    first = fit(config, checkpoint_dir=tmp_path)
    assert fit(config, checkpoint_dir=tmp_path).history == first.history
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["training.npz"]


def test_the_same_seed_gives_the_same_metrics_in_two_processes(small: Callable[..., Config], tmp_path: Path) -> None:
    """To the last digit, with two threads and everything random that there is."""
    command = [str(Path(__file__).with_name("fit_process.py")), str(tmp_path / "root"), *RANDOM, "training.threads=2"]
    warm = WarmProcess(command, tmp_path, os.environ)
    cold = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=True, timeout=400).stdout
    outputs = [json.loads(output) for output in (cold, warm.communicate(400)[0])]
    first, second = (without_speed(output["history"]) for output in outputs)
    assert len(first) == 4
    assert first == second
    assert outputs[0]["unneeded"] == [], "each takes a second or more to import"


def test_another_seed_gives_other_metrics(small: Callable[..., Config], fit: Fit, build: Callable[..., Any]) -> None:
    histories = []
    for seed in (0, 1):
        config = small("training.epochs=1", f"training.seed={seed}")
        histories.append(without_speed(fit(config, model=build(config, seed=7)).history))
    assert histories[0] != histories[1]


def test_the_callback_ends_the_training(small: Callable[..., Config], fit: Fit, tmp_path: Path) -> None:
    config = small("training.epochs=5")
    result = fit(config, on_epoch=lambda epoch, _: epoch == 1, checkpoint_dir=tmp_path)
    assert (len(result.history), result.stopped) == (2, "pruned")
    assert result.best.metrics["ctc_loss"] == result.history[result.best_epoch]["val/ctc_loss"]
    # Typed again, it is told the same epochs, and ends where it ended.
    again = fit(config, on_epoch=lambda epoch, _: epoch == 1, checkpoint_dir=tmp_path)
    assert (again.history, again.stopped) == (result.history, "pruned")


def test_divergence_is_noticed_at_its_step(small: Callable[..., Config], fit: Fit) -> None:
    config = small("optimizer.learning_rate=1e30", "optimizer.clip_norm=null", "optimizer.warmup_share=0")
    with pytest.raises(DivergedError, match=r"at epoch 0, step [1-3] is (nan|inf); lower `optimizer.learning_rate`"):
        fit(config)


def test_fewer_images_than_a_batch_are_enough(small: Callable[..., Config], fit: Fit, texts: Any) -> None:
    result = fit(small("training.epochs=1", "training.batch_size=64"))
    assert np.isfinite(result.history[0]["train/ctc_loss"])


def reader_of_a() -> keras.Model:
    """A model of two time steps over "ab". In both the blank has 0.6 and "a" has 0.4, whatever the image."""
    images = keras.Input((4, 4, 1))
    x = keras.layers.Dense(6, kernel_initializer="zeros", name="both")(keras.layers.Flatten()(images))
    model = keras.Model(images, keras.layers.Reshape((2, 3))(x))
    model.get_layer("both").set_weights([np.zeros((16, 6)), np.log([0.6, 0.4, 0.005] * 2)])
    return model


def test_beam_search_decides_what_is_read_and_so_which_epoch_is_the_best(small: Callable[..., Config]) -> None:
    # The model begins with "a" and learns to read "b". Greedy decoding never finds the "a", because the blank is more
    # likely in each step; the sum over the alignments of "a" is 0.64.
    learnt, held_out = (
        SimpleNamespace(images=np.zeros((len(labels), 4, 4), np.uint8), labels=list(labels))
        for labels in ("bbbb", "aab")
    )
    constant = ["optimizer.schedule=constant", "optimizer.warmup_share=0", "optimizer.learning_rate=0.3"]
    configs = [small("training.epochs=30", f"decoding={kind}", *constant) for kind in ("beam", "greedy")]
    searched, greedy = (
        train(reader_of_a(), learnt, held_out, label_decoder(config.decoding, "ab", learnt.labels), config)
        for config in configs
    )
    accuracies = [[epoch["val/sequence_accuracy"] for epoch in result.history] for result in (searched, greedy)]
    assert (accuracies[0][0], accuracies[1][0]) == (pytest.approx(2 / 3), 0)
    assert accuracies[0][-1] == accuracies[1][-1] == pytest.approx(1 / 3)
    assert [epoch["train/ctc_loss"] for epoch in searched.history] == [
        epoch["train/ctc_loss"] for epoch in greedy.history
    ]
    assert searched.best_epoch < greedy.best_epoch
    assert (searched.best.predictions, greedy.best.predictions) == (["a"] * 3, ["b"] * 3)


def test_images_without_labels_are_refused(
    small: Callable[..., Config], build: Callable[..., Any], texts: Any, characters: str
) -> None:
    config = small()
    with pytest.raises(InputError, match="a label for each image, not 39 for 40"):
        train(build(config), replace(texts, labels=texts.labels[1:]), texts, Decoder(characters), config)


def test_minutes_end_a_training_after_a_whole_evaluation_and_its_time_is_kept(
    small: Callable[..., Config], fit: Fit, tmp_path: Path
) -> None:
    """The first epoch is cut short after one step, because a millisecond is over by then."""
    config = small("training.epochs=null", f"training.minutes={0.001 / 60}")
    result = fit(config, checkpoint_dir=tmp_path)
    assert [set(metrics) for metrics in result.history] == [{*METRICS, "minutes"}]
    assert 0 < result.history[0]["learning_rate"] < config.optimizer.learning_rate / 100, "the start of the warm-up"
    assert 0.001 < 60 * result.history[0]["minutes"] <= result.fit_seconds
    assert fit(config, checkpoint_dir=tmp_path).history == result.history, "the time was used up before"

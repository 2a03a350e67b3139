"""The stages of one run, between its start and its end in the tracking store."""

import logging
from typing import TYPE_CHECKING

import numpy as np

from captcha_exp.config import Config, CustomCnnConfig, CustomTransformerConfig, TrainingConfig, time_steps
from captcha_exp.dataset import PreparedDataset, Split
from captcha_exp.dataset.image_spec import image_spec
from captcha_exp.dataset.label_knowledge import label_decoder, told, told_unreadable
from captcha_exp.evaluate.prediction_log import log_predictions
from captcha_exp.experiment.interruption import raise_if_interrupted
from captcha_exp.experiment.run_artifacts import (
    log_audit,
    log_curves,
    log_inputs,
    log_recogniser,
    origin_accuracies,
)
from captcha_exp.experiment.stage_seconds import Stages
from captcha_exp.experiment.trial_handle import Outcome, TrialHandle
from captcha_exp.reader.image import to_input
from captcha_exp.terminal import quiet_stderr
from captcha_exp.tracking import TrackedRun, check_readable

if TYPE_CHECKING:
    from pathlib import Path

    import keras

    from captcha_exp.training import FitResult

_log = logging.getLogger(__name__)
_LATENCY = "latency_ms"
_EVERY_EPOCH = "train/ctc_loss"


class TrainingRun:
    """A run that has begun. It trains, measures and logs, and takes the time of each stage."""

    def __init__(self, config: Config, dataset: PreparedDataset, run: TrackedRun, stages: Stages) -> None:
        """See `run_experiment` for `config`. `stages` may already hold times of earlier stages."""
        self._config, self._dataset, self._run, self._stages = config, dataset, run, stages
        self._learnt_from = self._learnt()
        self._decoder = label_decoder(config.decoding, dataset.vocabulary.characters, self._learnt_from.labels)
        self._seen_before: np.ndarray | None = np.empty(0, np.uint64)

    def conduct(self, trial: TrialHandle | None, checkpoint_dir: "Path | None") -> Outcome:
        """Run all stages. `checkpoint_dir` keeps the state of the training; None keeps no state."""
        with self._stages("log"):
            self._run.log_config(self._config)
            self._run.log_environment()
            log_inputs(self._run, self._dataset)
            log_audit(self._run, self._config, self._dataset)
        with self._stages("import"), quiet_stderr():
            import captcha_exp.training  # noqa: F401
        with self._stages("build"):
            model = self._build()
        self._tell_knowledge()
        with self._stages("fit"):
            result = self._fit(model, trial, checkpoint_dir)
        from captcha_exp.model import with_probabilities

        recogniser = with_probabilities(model)
        metrics = self._measure(recogniser, result)
        with self._stages("log"):
            self._log(recogniser, result, metrics)
        seconds = self._stages.metrics()
        self._run.log_metrics(seconds)
        outcome = _outcome(self._run.run_id, result, metrics | seconds)
        self._run.set_outcome(outcome.state, outcome.reason)
        return outcome

    def _build(self) -> "keras.Model":
        from captcha_exp.model import build_recogniser
        from captcha_exp.training import configure_threads

        configure_threads(self._config.training.threads)
        size = self._config.dataset
        classes = self._dataset.vocabulary.num_classes
        model = build_recogniser(
            self._config.cnn,
            self._config.transformer,
            size.image_height,
            size.image_width,
            classes,
            channels=image_spec(size).input_shape[-1],
            seed=self._config.training.seed,
        )
        if self._config.tracking.log_model and _own_builders(self._config):
            with quiet_stderr(self._config.root_path):
                check_readable(model, _own_builders(self._config))  # check now, not after hours of training
        if self._config.training.initial_model is not None:
            self._start_from_trained(model)
        steps = time_steps(self._config)
        _log.info("model: %s parameters, %d time steps, %d classes", f"{model.count_params():,}", steps, classes)
        return model

    def _start_from_trained(self, model: "keras.Model") -> None:
        from captcha_exp.experiment.initial_model import start_from

        with quiet_stderr(self._config.root_path):
            start = start_from(model, self._dataset.vocabulary.characters, self._config, self._run.store_uri)
        self._run.set_tags({"initial_model": start.address})
        self._seen_before = start.training_images
        _log.info(start.told)

    def _tell_knowledge(self) -> None:
        knowledge, validation = self._decoder.knowledge, self._dataset.validation
        if knowledge is not None:
            _log.info(told(knowledge, len(self._learnt_from)))
            unreadable = told_unreadable(knowledge, validation.labels, validation.name)
            if unreadable is not None:
                _log.info(unreadable)

    def _fit(self, model: "keras.Model", trial: TrialHandle | None, checkpoint_dir: "Path | None") -> "FitResult":
        import keras

        from captcha_exp.training import train

        raise_if_interrupted()  # while the data was prepared
        self._run.set_tags({"engine": keras.backend.backend()})
        known = self._run.last_epoch(_EVERY_EPOCH)

        def on_epoch(epoch: int, metrics: dict[str, float]) -> bool:
            # The store already has the epochs of a continued run.
            if epoch >= known:
                self._run.log_epoch(epoch + 1, metrics)
            raise_if_interrupted()
            _log.info(_epoch_line(epoch + 1, self._config.training, metrics))
            return trial is not None and trial.report(epoch, metrics)

        characters, held_out = self._dataset.vocabulary.characters, self._dataset.validation
        return train(model, self._learnt_from, held_out, characters, self._config, on_epoch, checkpoint_dir)

    def _learnt(self) -> Split:
        split, training = self._dataset.train, self._config.training
        if training.limit is None or training.limit >= len(split):
            return split
        return split.only(np.sort(np.random.default_rng(training.seed).permutation(len(split))[: training.limit]))

    def _measure(self, recogniser: "keras.Model", result: "FitResult") -> dict[str, float]:
        metrics = {"best/epoch": float(result.best_epoch + 1)}
        metrics["model/parameters"] = float(recogniser.count_params())
        if result.stopped != "pruned":
            from captcha_exp.model.forward_pass import ForwardPass
            from captcha_exp.model.latency import latency_ms

            with self._stages("latency"):
                metrics[_LATENCY] = latency_ms(ForwardPass(recogniser), to_input(self._dataset.train.images[:1]))
        if result.best is None:
            _log.info("kept the last epoch, %d: no validation images were held out", result.best_epoch + 1)
            return metrics
        metrics |= {f"best/val/{name}": value for name, value in result.best.metrics.items()}
        metrics |= origin_accuracies(self._dataset.validation, result.best)
        accuracy = metrics["best/val/sequence_accuracy"]
        _log.info("best: epoch %d, %.2f%% of the validation texts right", result.best_epoch + 1, 100 * accuracy)
        self._tell_outlook(result)
        return metrics

    def _tell_outlook(self, result: "FitResult") -> None:
        from captcha_exp.training import outlook

        if result.stopped is None:
            told = outlook(result.history, self._config.training, len(self._dataset.validation))
            if told is not None:
                _log.info(told)

    def _log(self, recogniser: "keras.Model", result: "FitResult", metrics: dict[str, float]) -> None:
        finished = result.stopped != "pruned"
        if finished and self._config.tracking.log_model:
            # Keras loads TensorFlow to save a model, whatever trained it.
            with quiet_stderr(self._config.root_path):
                log_recogniser(self._run, recogniser, self._decoder, self._config, self._dataset, self._seen_before)
        if result.best is None:
            self._run.log_metrics(metrics)
            return
        self._run.log_metrics(metrics, split="validation")
        log_curves(self._run, result.history, result.best_epoch)
        if finished:
            log_predictions(self._run, self._dataset.validation, result.best, self._config.tracking.sheet_images)


def _own_builders(config: Config) -> str:
    """The parts of the network that the user programmed, as the user typed them; empty if there are none."""
    cnn, transformer = config.cnn, config.transformer
    named = [f"cnn.builder={cnn.builder}"] if isinstance(cnn, CustomCnnConfig) else []
    if isinstance(transformer, CustomTransformerConfig):
        named.append(f"transformer.builder={transformer.builder}")
    return " ".join(named)


def _epoch_line(epoch: int, training: TrainingConfig, metrics: dict[str, float]) -> str:
    validation = ""
    if "val/ctc_loss" in metrics:
        validation = f"validation {metrics['val/ctc_loss']:.4f}, {metrics['val/sequence_accuracy']:.2%} right  "
    return (
        f"{_place(epoch, training, metrics)}  loss {metrics['train/ctc_loss']:.4f}  {validation}"
        f"{metrics['images_per_second']:.0f} images/s"
    )


def _place(epoch: int, training: TrainingConfig, metrics: dict[str, float]) -> str:
    if training.minutes is not None:
        return f"epoch {epoch}, {metrics['minutes']:.1f}/{training.minutes:g} min"
    return f"epoch {epoch:{len(str(training.epochs))}}/{training.epochs}"


def _outcome(run_id: str, result: "FitResult", metrics: dict[str, float]) -> Outcome:
    if result.stopped == "pruned":
        return Outcome("pruned", metrics, run_id, f"pruned after epoch {len(result.history)}")
    return Outcome("finished", metrics, run_id, None)

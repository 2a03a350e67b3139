"""The stages of one run, between its start and its end in the tracking store."""

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from captcha_exp.config import Combine, Config
from captcha_exp.dataset import PreparedDataset, Split
from captcha_exp.dataset.label_knowledge import label_decoder, told, told_unreadable
from captcha_exp.evaluate.prediction_log import log_predictions
from captcha_exp.evaluate.seen_images import SeenImages
from captcha_exp.experiment.closing_lines import closing_lines, reads_nothing
from captcha_exp.experiment.epoch_line import right
from captcha_exp.experiment.long_enough import with_epochs
from captcha_exp.experiment.run_artifacts import (
    log_audit,
    log_curves,
    log_recogniser,
    origin_accuracies,
)
from captcha_exp.experiment.run_description import run_description
from captcha_exp.experiment.run_inputs import log_inputs
from captcha_exp.experiment.self_training import SelfTraining
from captcha_exp.experiment.stage_seconds import Stages
from captcha_exp.experiment.tracked_fit import TrackedFit
from captcha_exp.experiment.trial_handle import Outcome, TrialHandle
from captcha_exp.interruption import raise_if_interrupted
from captcha_exp.reader.image import to_input
from captcha_exp.terminal import quiet_stderr
from captcha_exp.tracking import Store, TrackedRun

if TYPE_CHECKING:
    from pathlib import Path

    import keras

    from captcha_exp.experiment.new_network import NewNetwork
    from captcha_exp.training import FitResult

_log = logging.getLogger(__name__)
_LATENCY = "latency_ms"
_VOTERS = "voters"  # the run of the model that a distilled network learns from


class TrainingRun:
    """A run that has begun. It trains, measures and logs, and takes the time of each stage."""

    def __init__(self, config: Config, dataset: PreparedDataset, run: TrackedRun, stages: Stages) -> None:
        """See `run_experiment` for `config`. `stages` may already hold times of earlier stages."""
        self._config, self._dataset, self._run, self._stages = config, dataset, run, stages
        self._learnt_from = self._learnt()
        if dataset.unlabelled is None:  # else each round has a number of its own
            self._config = with_epochs(config, len(self._learnt_from))
        self._decoder = label_decoder(config.decoding, dataset.vocabulary.characters, self._learnt_from.labels)
        self._seen_before = SeenImages.none()
        self._stop = "pruned"  # what happens to a trial that stops early

    def conduct(self, trial: TrialHandle | None, checkpoint_dir: "Path | None", store: Store) -> Outcome:
        """Run all stages.

        Args:
            trial: the trial of a sweep; None for a single run. With several members or rounds it gets no reports.
            checkpoint_dir: keeps the state of the training; None keeps no state.
            store: where runs of members are kept.
        """
        self._stop = "paused" if trial is not None and trial.pause is not None else "pruned"
        self._begin()
        if self._run.is_new:  # a user may have changed the description of an older one
            self._run.describe(run_description(store, self._run.run_id, self._dataset, trial))
        with self._stages("import"), quiet_stderr():
            import keras

            import captcha_exp.training  # noqa: F401
            from captcha_exp.experiment.new_network import build_network
            from captcha_exp.model import with_probabilities
        with self._stages("build"):
            network = build_network(self._config, self._dataset.vocabulary.characters, self._run)
        self._seen_before = network.seen_before
        self._tell_knowledge()
        raise_if_interrupted()  # while the data was prepared
        self._run.set_tags({"engine": keras.backend.backend()})
        with self._stages("fit"):
            if self._config.training.members > 1:
                recogniser, result = self._fit_members(network, checkpoint_dir, store)
            else:
                result = self._fit_one(network.model, trial, checkpoint_dir)
                recogniser = with_probabilities(network.model)
            if self._config.training.views > 1 and result.stopped != "pruned":
                recogniser, result = self._see_more(recogniser, result)
        return self._end(recogniser, result)

    def _begin(self) -> None:
        with self._stages("log"):
            self._run.log_config(self._config)
            self._run.log_environment()
            log_inputs(self._run, self._dataset)
            log_audit(self._run, self._config, self._dataset)

    def _end(self, recogniser: "keras.Model", result: "FitResult") -> Outcome:
        metrics = self._measure(recogniser, result)
        with self._stages("log"):
            self._log(recogniser, result, metrics)
        seconds = self._stages.metrics()
        self._run.log_metrics(seconds)
        outcome = _outcome(self._run.run_id, result, metrics | seconds, self._stop)
        self._run.set_outcome(outcome.state, outcome.reason)
        return outcome

    def _tell_knowledge(self) -> None:
        knowledge, validation = self._decoder.knowledge, self._dataset.validation
        if knowledge is not None:
            _log.info(told(knowledge, len(self._learnt_from)))
            unreadable = told_unreadable(knowledge, validation.labels, validation.name)
            if unreadable is not None:
                _log.info(unreadable)

    def _tracked_fit(self, trial: TrialHandle | None) -> TrackedFit:
        return TrackedFit(self._run, self._dataset.validation, self._decoder, trial)

    def _fit_one(self, model: "keras.Model", trial: TrialHandle | None, checkpoint_dir: "Path | None") -> "FitResult":
        unlabelled = self._dataset.unlabelled
        if unlabelled is not None:
            return self._fit_in_rounds(model, unlabelled, checkpoint_dir)
        return self._tracked_fit(trial)(model, self._learnt_from, self._config, checkpoint_dir)

    def _fit_in_rounds(self, model: "keras.Model", unlabelled: Split, checkpoint_dir: "Path | None") -> "FitResult":
        fit = self._tracked_fit(None)
        rounds = SelfTraining(self._config, self._learnt_from, unlabelled, self._decoder, fit)
        result = rounds.train(model, checkpoint_dir)
        self._run.log_metrics({"unlabelled/images": float(len(unlabelled))})
        if rounds.taught is not None:
            self._run.log_metrics({"unlabelled/learnt_from": float(len(rounds.taught.split))})
            self._run.log_text(rounds.taught.table(), "pseudo_labels.csv")
            self._seen_before = self._seen_before.and_training(rounds.taught.split.images)
        return result

    def _see_more(self, recogniser: "keras.Model", result: "FitResult") -> tuple["keras.Model", "FitResult"]:
        """Let the trained model read several views of each image, and judge it again."""
        from captcha_exp.model.views import with_views
        from captcha_exp.training.validation import build_judge

        views = self._config.training.views
        seeing = with_views(recogniser, views)
        judged = build_judge(seeing, self._dataset.validation, self._decoder, self._config)()
        if judged is not None and result.best is not None:
            now, before = (one.metrics["sequence_accuracy"] for one in (judged, result.best))
            _log.info("%d views: %s; one view: %.2f%%", views, right(now), 100 * before)
        return seeing, replace(result, best=judged)

    def _fit_members(
        self, network: "NewNetwork", checkpoint_dir: "Path | None", store: Store
    ) -> tuple["keras.Model", "FitResult"]:
        from captcha_exp.experiment.joint_training import JointTraining, best_member
        from captcha_exp.model import with_probabilities
        from captcha_exp.training.member_plan import plan_student

        held_out = self._dataset.validation
        joint = JointTraining(self._config, self._learnt_from, held_out, self._decoder, store, self._run)
        members = joint.train(network, checkpoint_dir)
        joined, result, metrics = joint.join(network, members)
        self._run.log_metrics(metrics)
        if self._config.training.combine is not Combine.distil:
            return joined, result
        self._keep_voters(joined, result, store)
        first = best_member(members)
        network.model.set_weights(first.weights)
        _log.info("distil: one network goes on from member %d, and learns from the vote", first.member.number)
        fit, student = self._tracked_fit(None), plan_student(self._config)
        taught = fit(network.model, self._learnt_from, student, checkpoint_dir, joined)
        return with_probabilities(network.model), taught

    def _keep_voters(self, voters: "keras.Model", result: "FitResult", store: Store) -> None:
        """Keep the model of all members in a run below this one. It can be judged and promoted like any run."""
        if store.has_finished(_VOTERS, self._run.run_id):
            return
        training = self._config.training.model_copy(update={"combine": Combine.vote, "views": 1})
        config = self._config.model_copy(update={"training": training})
        with store.start_child(_VOTERS, self._run.run_id, {"kind": "voters"}) as run:
            beside = TrainingRun(config, self._dataset, run, Stages())
            beside._seen_before = self._seen_before
            beside._begin()
            outcome = beside._end(voters, result)
        if result.best is not None:
            name = "val/sequence_accuracy"
            self._run.log_metrics({f"voters/{name}": outcome.metrics[f"best/{name}"]})

    def _learnt(self) -> Split:
        split, training = self._dataset.train, self._config.training
        if training.limit is None or training.limit >= len(split):
            return split
        return split.only(np.sort(np.random.default_rng(training.seed).permutation(len(split))[: training.limit]))

    def _measure(self, recogniser: "keras.Model", result: "FitResult") -> dict[str, float]:
        metrics = {"model/parameters": float(recogniser.count_params())}
        if result.history:
            metrics |= {"best/epoch": result.best_epoch + 1.0, "training/steps": float(result.steps)}
        if result.stopped != "pruned":
            from captcha_exp.model.forward_pass import ForwardPass
            from captcha_exp.model.latency import latency_ms

            with self._stages("latency"):
                metrics[_LATENCY] = latency_ms(ForwardPass(recogniser), to_input(self._dataset.train.images[:1]))
        if result.best is None and result.history:
            _log.info("kept the last epoch, %d: no validation images were held out", result.best_epoch + 1)
        if result.best is None:
            return metrics
        metrics |= {f"best/val/{name}": value for name, value in result.best.metrics.items()}
        metrics |= origin_accuracies(self._dataset.validation, result.best)
        if result.history and not reads_nothing(result.best):
            _log.info("best: epoch %d, %s", result.best_epoch + 1, right(metrics["best/val/sequence_accuracy"]))
        for line in closing_lines(result, self._config.training, len(self._dataset.validation)):
            _log.info(line)
        return metrics

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
        if result.history:
            log_curves(self._run, result.history, result.best_epoch)
        if finished:
            log_predictions(self._run, self._dataset.validation, result.best, self._config.tracking.sheet_images)


def _outcome(run_id: str, result: "FitResult", metrics: dict[str, float], stop: str) -> Outcome:
    if result.stopped == "pruned":
        return Outcome("pruned", metrics, run_id, f"{stop} after epoch {len(result.history)}")
    return Outcome("finished", metrics, run_id, None)

"""One run, from its configuration to a model in the tracking store."""

import logging
from typing import TYPE_CHECKING

from captcha_exp.config import Config, RenderedConfig, time_steps
from captcha_exp.dataset import PreparedDataset, check_labels_fit, prepare_dataset
from captcha_exp.errors import DivergedError, StoreAwayError
from captcha_exp.experiment.all_but_test import with_validation_trained
from captcha_exp.experiment.checkpoint_folder import CheckpointFolder, hold_checkpoint
from captcha_exp.experiment.images_without_labels import with_unlabelled
from captcha_exp.experiment.repeated_training import Repeat, conduct_repeats, first_outcome
from captcha_exp.experiment.stage_seconds import Stages
from captcha_exp.experiment.trial_handle import Outcome, TrialHandle
from captcha_exp.metrics.few_images import few_images

# An error about a folder of images must not wait until MLflow is loaded.
if TYPE_CHECKING:
    from captcha_exp.tracking import Store, TrackedRun

_log = logging.getLogger(__name__)


def run_experiment(config: Config, *, trial: TrialHandle | None = None) -> Outcome:
    """Prepare data, train, evaluate, and keep everything in the tracking store.

    If a single run was interrupted, the same configuration with the same data continues it from its last epoch, in the
    same tracked run. An exception is recorded on the run before it is raised.

    The progress is logged at level INFO below the logger `captcha_exp`. The commands print it; other callers see it if
    they configure `logging`.

    Args:
        config: a composed and checked configuration.
        trial: the trial of a sweep; None for a single run.

    Raises:
        InputError: the user's input cannot be used.
        DivergedError: the loss is no longer a number.
        StoreAwayError: the tracking server was away for too long, at the start of a trial or at the end of a run.
    """
    stages = Stages()
    try:
        with stages("data"):
            dataset = _prepare(config)
    except Exception:
        if trial is not None:  # The sweep must know about a trial; a single run has nothing to show yet.
            with _start(_open_store(config, trial), config, trial, None):
                raise
        raise
    few = few_validation_images(config, dataset)
    if trial is None and few is not None:
        _log.info(few)  # a sweep has said it once for all its trials
    store = _open_store(config, trial)
    pause = trial.pause if trial is not None else None
    with hold_checkpoint(config, dataset.fingerprint, pause.owner if pause else None) as checkpoint:
        try:
            outcome = _conduct(config, dataset, trial, store, checkpoint, stages)
        except DivergedError:
            checkpoint.remove()  # From here it would diverge again, at the same step.
            raise
        if pause is not None and outcome.state == "pruned":
            pause.keep(checkpoint.path)
        else:
            checkpoint.remove()
    if trial is None:  # a sweep delivers at its end what its trials could not
        _deliver(store)
    _log.info("%s: %s", outcome.state, store.ui_hint(outcome.run_id))
    return outcome


def _conduct(
    config: Config,
    dataset: PreparedDataset,
    trial: TrialHandle | None,
    store: "Store",
    checkpoint: CheckpointFolder,
    stages: Stages,
) -> Outcome:
    """Train in a tracked run, and for a trial with repeats train again there."""
    from captcha_exp.experiment.training_stages import TrainingRun
    from captcha_exp.tracking.system_metrics import measured

    with _start(store, config, trial, checkpoint) as run, measured(run, config.tracking):
        if trial is not None and trial.pause is not None and trial.pause.run_id is not None:
            stages.go_on_from(run.metrics())
        outcome = first_outcome(trial)
        if outcome is None:
            outcome = TrainingRun(config, dataset, run, stages).conduct(trial, checkpoint.path, store)
        if trial is not None and trial.repeats is not None:
            checkpoint.remove()  # of the first training
            outcome = conduct_repeats(config, trial, trial.repeats, run, outcome, run_experiment)
    return outcome


def few_validation_images(config: Config, dataset: PreparedDataset) -> str | None:
    """The warning before a training whose validation images are too few to compare models; None if they are enough."""
    return few_images(
        len(dataset.validation),
        "validation",
        rendered=isinstance(config.dataset, RenderedConfig),
        random_start=config.training.initial_model is None,
    )


def _prepare(config: Config) -> PreparedDataset:
    dataset = prepare_dataset(config.dataset, config.root_path)
    check_labels_fit(dataset, time_steps(config))
    dataset = with_unlabelled(dataset, config)
    return with_validation_trained(dataset) if config.training.use_validation else dataset


def _open_store(config: Config, trial: TrialHandle | None) -> "Store":
    from captcha_exp.tracking import open_keeping_store

    # Who types a single run sees at once that there is no server. A trial is not there to be seen.
    return open_keeping_store(config.tracking, config.root_path, wait=trial is not None)


def _deliver(store: "Store") -> None:
    from captcha_exp.tracking import deliver_all

    left = deliver_all(store)
    if left is not None:
        raise StoreAwayError(f"The run is finished, but {left}.")


def _start(
    store: "Store", config: Config, trial: TrialHandle | None, checkpoint: CheckpointFolder | None
) -> "TrackedRun":
    paused = trial.pause.run_id if trial is not None and trial.pause is not None else None
    if paused is not None and store.find_run(paused) is not None:
        _log.info("going on with run %s", paused)
        return store.start_run("", {}, run_id=paused)
    ended = trial.repeats.done[0]["run_id"] if trial is not None and trial.repeats and trial.repeats.done else None
    if trial is not None and ended is not None and store.find_run(ended) is not None:
        _log.info("going on with run %s", ended)
        run = store.start_run("", {}, run_id=ended)
        run.set_tags({**trial.tags, "mlflow.runName": trial.name})
        return run
    if isinstance(trial, Repeat):
        run = store.start_child(trial.name, trial.parent_run_id, trial.tags)
        run.log_params(trial.searched)
        return run
    if trial is not None:
        run = store.start_run(trial.name, trial.tags, trial.parent_run_id)
        # The configuration does not have all of this: for a group it has the values of an option, but not its name.
        run.log_params(trial.searched)
        return run
    earlier = checkpoint.run_id if checkpoint else None
    if earlier is not None and store.find_run(earlier) is not None:
        _log.info("continuing the interrupted run %s", earlier)
        return store.start_run("", {}, run_id=earlier)
    name = config.tracking.run_name or f"{config.cnn.kind}-{config.transformer.kind}"
    run = store.start_run(name, {})
    if checkpoint is not None:
        try:
            checkpoint.keep_run_id(run.run_id)
        except OSError:
            with run:  # no command will continue this run
                raise
    return run

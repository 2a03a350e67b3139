"""Judges one model on one split, prints the figures and keeps them in the tracking store."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from captcha_exp.config import Config, EvaluationConfig, RenderedConfig, SplitName
from captcha_exp.metrics.few_images import few_images

if TYPE_CHECKING:
    from captcha_exp.dataset import PreparedDataset, Split
    from captcha_exp.evaluate.assessment import Assessment
    from captcha_exp.metrics.robustness import Robustness
    from captcha_exp.tracking import LoadedRecogniser, Store, TrackedRun


def assess_model(own: EvaluationConfig, config: Config) -> Iterator[str]:
    """Read one split with a model. Yield the figures in lines, and keep them with pictures in the store.

    If the model was trained on this dataset, they are kept on the model's own run, else on a run of the evaluation.
    Metrics are kept only for the split `test`, as `test/...`.

    Args:
        own: which model, which split, how thoroughly.
        config: which dataset, and which store. Image size, characters and decoding come from the model.

    Raises:
        InputError: the model or split does not exist, or the split holds images that the model was trained on.
    """
    # Imported after the checks: the message about a mistyped key must not wait for MLflow and TensorFlow.
    from captcha_exp.terminal import quiet_stderr
    from captcha_exp.tracking import load_recogniser, open_store

    store = open_store(config.tracking, config.root_path)
    with quiet_stderr(config.root_path):
        recogniser = load_recogniser(own.model, store.uri)
        from captcha_exp.evaluate import evaluation_log
    from captcha_exp.evaluate.held_out import check_divided_alike, dataset_as_seen, unseen_split
    from captcha_exp.evaluate.told_apart import apart_from_choices
    from captcha_exp.evaluate.told_figures import answer, figures

    dataset = dataset_as_seen(recogniser, config.dataset, config.root_path)
    check_divided_alike(recogniser, dataset, config.dataset)
    split, left_out = apart_from_choices(recogniser, dataset, unseen_split(recogniser, dataset, own.split.name))
    notes = [*([left_out] if left_out else []), *_told_of_labels(recogniser, split)]
    few = few_images(len(split), split.name, rendered=isinstance(config.dataset, RenderedConfig))
    notes += [few] if few else []
    heading = [f"{len(split)} images of {dataset.source_name}/{split.name}", *notes]
    yield from heading
    assessed, robustness = _measure(recogniser, split, dataset.validation, own, config.training.batch_size)
    told = [*answer(assessed, split.name), *figures(assessed, robustness)]
    yield from told
    with _run_of(store, recogniser, dataset, own) as (run, model_id):
        if own.split is SplitName.test:
            metrics = assessed.metrics() | (evaluation_log.robustness_metrics(robustness) if robustness else {})
            evaluation_log.log_test_metrics(run, dataset, split, model_id, metrics)
        evaluation_log.log_assessment(run, split, assessed, robustness, config.tracking.sheet_images, own.seed, notes)
        run.log_text("\n".join([*heading, *told, ""]), f"{split.name}_evaluation.txt")
    yield f"logged to {store.ui_hint(run.run_id)}"


def _told_of_labels(recogniser: "LoadedRecogniser", split: "Split") -> Iterator[str]:
    """The lines that count the labels which the model cannot read, whatever the images show."""
    from captcha_exp.dataset.label_knowledge import told_unreadable
    from captcha_exp.dataset.writable_labels import Unwritable, writable

    characters, steps, knowledge = recogniser.characters, recogniser.model.output_shape[1], recogniser.decoder.knowledge
    yield from Unwritable.of(split.labels, characters, steps).told(split.name, characters)
    if knowledge is not None:
        can = writable(split.labels, characters, steps)
        told = told_unreadable(
            knowledge, [label for label, fits in zip(split.labels, can, strict=True) if fits], split.name
        )
        yield from [told] if told else []


def _measure(
    recogniser: "LoadedRecogniser", split: "Split", validation: "Split", own: EvaluationConfig, batch_size: int
) -> tuple["Assessment", "Robustness | None"]:
    from captcha_exp.evaluate.assessment import assess
    from captcha_exp.evaluate.seen_images import count_seen
    from captcha_exp.metrics.robustness import measure_robustness
    from captcha_exp.model.evaluator import text_reader
    from captcha_exp.model.forward_pass import ForwardPass

    # A choice made on validation images must be judged on other images. Also, a refit may have trained on them.
    usable = own.split is not SplitName.validation and len(validation) and not count_seen(recogniser, validation.images)
    forward_pass = ForwardPass(recogniser.model, batch_size)
    assessed = assess(
        forward_pass,
        split,
        validation if usable else None,
        recogniser.decoder,
        resamples=own.resamples,
        seed=own.seed,
    )
    if not own.robustness:
        return assessed, None
    read = text_reader(forward_pass, recogniser.decoder)
    return assessed, measure_robustness(
        read, split.images, split.labels, most_images=own.robustness_images, seed=own.seed
    )


@contextmanager
def _run_of(
    store: "Store", recogniser: "LoadedRecogniser", dataset: "PreparedDataset", own: EvaluationConfig
) -> Iterator[tuple["TrackedRun", str | None]]:
    """The run that keeps the result, and the model's id if the store knows the model."""
    trained_by = store.find_run(recogniser.run_id)
    model_id = None if trained_by is None else recogniser.model_id
    if trained_by is not None and recogniser.dataset["fingerprint"] == dataset.fingerprint:
        yield trained_by, model_id
        return
    tags = {"kind": "evaluation", "model": own.model, "model.id": recogniser.model_id, "model.run": recogniser.run_id}
    with store.start_run(f"evaluate-{own.split.name}", tags) as run:
        yield run, model_id

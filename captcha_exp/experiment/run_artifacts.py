"""Keeps the data, pictures and model of a run in the tracking store."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from captcha_exp.config import Config, to_plain, without_passwords
from captcha_exp.dataset import PreparedDataset, Split
from captcha_exp.dataset.image_spec import image_spec
from captcha_exp.evaluate.seen_images import SeenImages
from captcha_exp.figures import learning_curves
from captcha_exp.prepare.audit_folder import find_audit
from captcha_exp.reader.decoding import Decoder
from captcha_exp.tracking import TrackedRun

if TYPE_CHECKING:
    import keras

    from captcha_exp.model.evaluator import Evaluation


def log_audit(run: TrackedRun, config: Config, dataset: PreparedDataset) -> None:
    """Keep the audit that `captcha_exp.prepare` made of this dataset, if there is one."""
    for file in find_audit(config.root_path, dataset.fingerprint, config.dataset):
        run.log_file(file, "dataset")


def log_curves(run: TrackedRun, history: Sequence[Mapping[str, float]], best_epoch: int) -> None:
    """Keep the learning curves as a picture."""
    run.log_figure(learning_curves(history, best_epoch), "learning_curves.png")


def origin_accuracies(split: Split, evaluation: "Evaluation") -> dict[str, float]:
    """Sequence accuracy for each origin, as metrics of the best epoch. Empty if all images have the same origin."""
    right: dict[str, list[bool]] = {}
    for origin, label, prediction in zip(split.origins, evaluation.labels, evaluation.predictions, strict=True):
        right.setdefault(origin, []).append(label == prediction)
    if len(right) == 1:
        return {}
    return {f"best/val/sequence_accuracy/{origin}": sum(hits) / len(hits) for origin, hits in sorted(right.items())}


def log_recogniser(
    run: TrackedRun,
    model: "keras.Model",
    decoder: Decoder,
    config: Config,
    dataset: PreparedDataset,
    seen_before: SeenImages,
) -> str:
    """Keep the model with everything that is needed to read an image; return the model's address.

    Args:
        run: the run that trained it.
        model: float32 (B, H, W, C) to probabilities (B, T, K).
        decoder: how the model reads a text.
        config: the run's configuration.
        dataset: the dataset that it was trained on.
        seen_before: the images that its initial weights have seen.
    """
    plain = without_passwords(to_plain(config))
    metadata: dict[str, Any] = {
        "captcha_exp": version("captcha-exp"),
        "characters": decoder.characters,
        "image": image_spec(config.dataset).to_dict(),
        "decoding": decoder.metadata(),
        "dataset": {"name": dataset.source_name, "fingerprint": dataset.fingerprint},
        "config": plain,
    }
    seen = seen_before.and_those_of(dataset)
    return run.log_model(model, metadata, image_spec(config.dataset).input_shape, seen.training, seen.validation)

"""Challenger and champion on the same test images."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from captcha_exp.config import DatasetConfig, LimitsConfig, MovedDatasetConfig, RuleConfig, load_dataset_config
from captcha_exp.dataset import PreparedDataset, Split
from captcha_exp.errors import InputError
from captcha_exp.evaluate.held_out import SPLIT_KEYS, check_divided_alike, dataset_as_seen, unseen_split
from captcha_exp.evaluate.seen_images import count_seen
from captcha_exp.metrics.accuracy import character_error_rate, sequence_accuracy
from captcha_exp.metrics.robustness import Robustness, measure_robustness
from captcha_exp.model.evaluator import text_reader
from captcha_exp.model.forward_pass import ForwardPass
from captcha_exp.model.latency import latency_ms
from captcha_exp.reader.image import Images, to_input
from captcha_exp.tracking import LoadedRecogniser


@dataclass(frozen=True)
class Judged:
    """One model on the test images: whether each text is right, and the figures that the limits use.

    `constant` is the share of images on which the same text for all of them would be right, from 0 to 1.
    """

    right: list[bool]
    metrics: dict[str, float]
    constant: float


def open_test(
    challenger: LoadedRecogniser, moved: MovedDatasetConfig, root: Path
) -> tuple[DatasetConfig, PreparedDataset]:
    """Open and check the dataset that the challenger was trained with.

    Raises:
        InputError: the dataset is missing, its images or labels have changed, the challenger was trained on its test
            images, or the model's list of training images was changed.
    """
    try:
        dataset_config = load_dataset_config(challenger.config["dataset"])
    except InputError as error:
        raise InputError(f"The dataset of the challenger can no longer be used: {error}") from error
    own = {key: value for key, value in vars(moved).items() if value is not None}
    missing = [key for key in own if not hasattr(dataset_config, key)]
    if missing:
        raise InputError(f"dataset.{missing[0]} has no meaning for the challenger's {dataset_config.source} dataset.")
    dataset_config = dataset_config.model_copy(update=own)
    dataset = dataset_as_seen(challenger, dataset_config, root)
    if dataset.fingerprint != challenger.dataset["fingerprint"]:
        raise InputError(
            f"The dataset has the fingerprint {dataset.fingerprint} now, but {challenger.dataset['fingerprint']} when "
            "the challenger was trained: images or labels changed, so its test split is another. Restore the data "
            "(set `dataset.path=...` if it moved) or train again."
        )
    _check_list("challenger", challenger, dataset)
    _check_unseen("challenger", challenger, dataset, dataset_config)
    return dataset_config, dataset


def champion_test(champion: LoadedRecogniser, config: DatasetConfig, root: Path) -> PreparedDataset:
    """The same test images as the champion was trained to see them.

    Raises:
        InputError: the champion was trained on some of them, or does not tell truly what it was trained on.
    """
    dataset = dataset_as_seen(champion, config, root)
    if champion.training_images is None and champion.dataset["fingerprint"] != dataset.fingerprint:
        raise InputError(
            "The champion was trained on another dataset and by a version that did not log which images those were, so "
            "it may have seen these test images. Train it again, or promote under another `model_name`."
        )
    if champion.dataset["fingerprint"] == dataset.fingerprint:
        _check_list("champion", champion, _as_divided(champion, dataset, config, root))
    _check_unseen("champion", champion, dataset, config)
    return dataset


def _as_divided(
    champion: LoadedRecogniser, dataset: PreparedDataset, config: DatasetConfig, root: Path
) -> PreparedDataset:
    """The same data, divided as it was for the champion's training."""
    trained = load_dataset_config(champion.config["dataset"])
    own = config.model_copy(update={key: getattr(trained, key) for key in SPLIT_KEYS})
    return dataset if own == config else dataset_as_seen(champion, own, root)


def _check_list(role: str, recogniser: LoadedRecogniser, own: PreparedDataset) -> None:
    """Refuse an incomplete list of training images: the missing ones could be test images, and nobody would notice."""
    seen = count_seen(recogniser, own.train.images)
    if seen is not None and seen < len(own.train):
        raise InputError(
            f"The {role} cannot be judged: its list of training images lacks {len(own.train) - seen} of the "
            f"{len(own.train)} that it was trained on, so the list was changed. Train it again."
        )


def _check_unseen(role: str, recogniser: LoadedRecogniser, dataset: PreparedDataset, config: DatasetConfig) -> None:
    try:
        # Digests compare images by content. Without digests, only the same division of the same data is safe.
        if recogniser.training_images is None:
            check_divided_alike(recogniser, dataset, config)
        unseen_split(recogniser, dataset, "test")
    except InputError as error:
        raise InputError(f"The {role} cannot be judged: {error}") from error


def judge(
    recogniser: LoadedRecogniser, test: Split, rule: RuleConfig, limits: LimitsConfig, *, limited: bool
) -> Judged:
    """Read the test images with a model.

    Args:
        recogniser: the model.
        test: images in the form that the model was trained on.
        rule: whether case counts.
        limits: the further figures to measure.
        limited: whether to measure the figures of the limits at all.
    """
    forward_pass = ForwardPass(recogniser.model)
    read = text_reader(forward_pass, recogniser.decoder)
    texts = read(test.images)
    pairs = list(zip(test.labels, texts, strict=True))
    folded = [label.casefold() == text.casefold() for label, text in pairs]
    metrics = {
        "sequence_accuracy": sequence_accuracy(test.labels, texts),
        "sequence_accuracy_ignore_case": sequence_accuracy(test.labels, texts, ignore_case=True),
        "character_error_rate": character_error_rate(test.labels, texts),
        "parameters": float(recogniser.model.count_params()),
    }
    if limited and limits.latency_ms is not None:
        metrics["latency_ms"] = latency_ms(forward_pass, to_input(test.images[:1]))
    if limited and limits.robustness_drop is not None:
        metrics["robustness/drop"] = _robustness(read, test, rule, limits).drop
    labels = [label.casefold() if rule.ignore_case else label for label in test.labels]
    constant = max(Counter(labels).values()) / len(labels)
    return Judged(folded if rule.ignore_case else [label == text for label, text in pairs], metrics, constant)


def _robustness(read: Callable[[Images], list[str]], test: Split, rule: RuleConfig, limits: LimitsConfig) -> Robustness:
    return measure_robustness(read, test.images, test.labels, most_images=limits.robustness_images, seed=rule.seed)

"""Checks of labels against the vocabulary and the model's time steps."""

from collections.abc import Sequence

from captcha_exp.config import DatasetConfig, LabelCase, min_time_steps
from captcha_exp.dataset.samples import Sample
from captcha_exp.errors import InputError
from captcha_exp.reader.vocabulary import Vocabulary


def in_case(labels: Sequence[str], case: LabelCase) -> list[str]:
    """Labels in the case that `dataset.label_case` asks for."""
    if case is LabelCase.lower:
        return [label.lower() for label in labels]
    if case is LabelCase.upper:
        return [label.upper() for label in labels]
    return list(labels)


def check_characters(samples: Sequence[Sample], config: DatasetConfig) -> None:
    """Refuse a label that a given vocabulary cannot write.

    Raises:
        InputError: there is such a label; the message names the first one, its file and the character.
    """
    if config.vocabulary is None:
        return
    vocabulary = Vocabulary.from_labels([config.vocabulary])
    for sample, label in zip(samples, in_case([sample.label for sample in samples], config.label_case), strict=True):
        unknown = vocabulary.unknown(label)
        if unknown:
            raise InputError(
                f"Label {label!r} of {sample.name} has the character {unknown[0]!r}, which is not in "
                f"dataset.vocabulary={config.vocabulary!r}. Add it there, or set `dataset.vocabulary=null`."
            )


def check_fit(labels: Sequence[str], time_steps: int) -> None:
    """Refuse labels that CTC cannot emit in `time_steps`.

    Raises:
        InputError: there is such a label; the message names the one that needs most steps.
    """
    longest = max(labels, key=min_time_steps, default="")
    needed = min_time_steps(longest)
    if needed > time_steps:
        raise InputError(
            f"Label {longest!r} needs at least {needed} time steps, but this model gives {time_steps}. "
            f"Lower `cnn.width_stride` or raise `dataset.image_width`."
        )

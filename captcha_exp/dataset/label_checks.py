"""Checks of labels against the vocabulary and the model's time steps."""

import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path

from captcha_exp.config import DatasetConfig, LabelCase, min_time_steps
from captcha_exp.dataset.samples import Sample
from captcha_exp.errors import InputError

_CHARACTERS_NAMED = 20


def in_case(labels: Sequence[str], case: LabelCase) -> list[str]:
    """Labels in the case that `dataset.label_case` asks for. One letter stays one letter; see `kept_letters`."""
    if case is LabelCase.keep:
        return list(labels)
    change = _changes(case)
    return [change(label) if label.isascii() else "".join(map(_letter_in(change), label)) for label in labels]


def _changes(case: LabelCase) -> Callable[[str], str]:
    return str.lower if case is LabelCase.lower else str.upper


def _letter_in(change: Callable[[str], str]) -> Callable[[str], str]:
    def changed(letter: str) -> str:
        other = change(letter)
        return other if len(other) == 1 else letter

    return changed


def kept_letters(labels: Sequence[str], case: LabelCase) -> str:
    """The letters that stay as they are, because in the other case they would be several letters, as `ß` is."""
    if case is LabelCase.keep:
        return ""
    change = _changes(case)
    return "".join(sorted(letter for letter in set().union(*labels) if len(change(letter)) > 1))


def given_vocabulary(config: DatasetConfig) -> str | None:
    """The characters of `dataset.vocabulary` or `dataset.vocabulary_file`; None if neither is set.

    Raises:
        InputError: the file does not exist, is not in UTF-8 or holds no characters.
    """
    if config.vocabulary_file is None:
        return config.vocabulary
    path = Path(config.vocabulary_file).expanduser()
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise InputError(f"dataset.vocabulary_file={path} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise InputError(f"dataset.vocabulary_file={path} is not in UTF-8 ({error.reason}).") from error
    characters = "".join(dict.fromkeys(unicodedata.normalize("NFC", "".join(lines))))
    if not characters or not characters.isprintable():
        raise InputError(f"dataset.vocabulary_file={path} must hold characters that can be printed, one a line.")
    return characters


def check_characters(samples: Sequence[Sample], given: str | None, config: DatasetConfig) -> None:
    """Refuse a label that a given vocabulary cannot write.

    Args:
        samples: with their labels.
        given: the vocabulary, from `given_vocabulary`.
        config: of the dataset.

    Raises:
        InputError: there is such a label; the message names the first one, its file and the character.
    """
    if given is None:
        return
    known = set(given)
    for sample, label in zip(samples, in_case([sample.label for sample in samples], config.label_case), strict=True):
        unknown = [character for character in label if character not in known]
        if unknown:
            raise InputError(
                f"Label {label!r} of {sample.name} has the character {unknown[0]!r}, {_not_in(given, config)}"
            )


def _not_in(given: str, config: DatasetConfig) -> str:
    if config.vocabulary_file is not None:
        return f"which is not in dataset.vocabulary_file={config.vocabulary_file}. Add it there."
    hint = ""
    if unicodedata.normalize("NFC", given) != given:
        hint = f" Labels are in Unicode NFC; write {unicodedata.normalize('NFC', given)!r}."
    return f"which is not in dataset.vocabulary={given!r}. Add it there, or set `dataset.vocabulary=null`.{hint}"


def unseen_characters(vocabulary: str, labels: Sequence[str]) -> str | None:
    """The line that counts the characters of a vocabulary that no training label has; None if there are none."""
    unseen = sorted(set(vocabulary) - set().union(*labels))
    if not unseen:
        return None
    return (
        f"{len(unseen)} of the {len(vocabulary)} characters of the vocabulary are in no training label, so no model "
        f"learns to read them: {''.join(unseen[:_CHARACTERS_NAMED])}{'...' if len(unseen) > _CHARACTERS_NAMED else ''}"
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

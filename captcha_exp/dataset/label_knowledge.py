"""What the labels of a training say of every text."""

from collections import Counter
from collections.abc import Sequence

from captcha_exp.config import DecodingConfig
from captcha_exp.reader.decoding import Decoder, Knowledge
from captcha_exp.reader.metadata import MAX_KNOWN

# After this many labels of one length, other lengths have a share of at most 10 %, with a confidence of 95 %.
LABELS_FOR_LENGTH = 29
# After this many labels, a character that none has at a position has a share of at most 1 % there, with 95 %.
LABELS_FOR_ALPHABETS = 299
# A character as frequent as one that was seen this often would be missed with a probability of exp(-10), 1 in 22,000.
SEEN_AT_LEAST = 10


def label_decoder(decoding: DecodingConfig, characters: str, labels: Sequence[str]) -> Decoder:
    """How a model will read: as `decoding` says, with what the training labels say if `decoding.knowledge` is `labels`.

    Args:
        decoding: its configuration.
        characters: the model's, `characters[i]` is class `i + 1`.
        labels: of the images that it learns from, and of no others.
    """
    knowledge = label_knowledge(labels, characters) if decoding.knowledge == "labels" else None
    return Decoder(characters, decoding.search_width, knowledge)


def label_knowledge(labels: Sequence[str], characters: str) -> Knowledge | None:
    """What the training labels say of every text; None if it is too little or the labels are too different.

    Equal labels count once. If all labels have one length, and there are at least `LABELS_FOR_LENGTH`, every text has
    that length. A position is restricted to the characters that were seen there if there are at least
    `LABELS_FOR_ALPHABETS` labels and each of these characters was seen there `SEEN_AT_LEAST` times. So a character that
    was missed would be rare itself, and much rarer than all others. Labels of several lengths say nothing: the shortest
    and the longest are rare, so still others may well exist.

    Args:
        labels: of the images that the model learns from.
        characters: the model's.

    Source:
        The numbers of labels are the rule of three without its approximation: if n texts lack something, its share is
        at most 1 - 0.05 ** (1 / n), with a confidence of 95 % (Hanley and Lippman-Hand 1983).
    """
    different = set(labels)
    lengths = set(map(len, different))
    if len(different) < LABELS_FOR_LENGTH or len(lengths) != 1:
        return None
    length = lengths.pop()
    if not 1 <= length <= MAX_KNOWN // len(characters):
        return None
    if len(different) < LABELS_FOR_ALPHABETS:
        return Knowledge((None,) * length)
    return Knowledge(tuple(_alphabet(Counter(place), characters) for place in zip(*different, strict=True)))


def _alphabet(seen: Counter[str], characters: str) -> str | None:
    """The characters of a position; None if it is not restricted."""
    restricted = min(seen.values()) >= SEEN_AT_LEAST and len(seen) < len(characters)
    return "".join(sorted(seen)) if restricted else None


def told(knowledge: Knowledge, labels: int) -> str:
    """The line that tells the user what a number of labels says, and how not to use it."""
    return (
        f"decoding: all {labels} training labels are {knowledge}; other texts are not read "
        "(decoding.knowledge=none turns this off)"
    )


def told_unreadable(knowledge: Knowledge, labels: Sequence[str], split: str) -> str | None:
    """The line that counts the labels of a split that contradict the knowledge; None if there are none."""
    lost = [label for label in labels if not knowledge.allows(label)]
    if not lost:
        return None
    return (
        f"decoding: {len(lost)} of the {len(labels)} {split} labels cannot be read, {_why(knowledge, lost)}; no "
        "training label was like them (a model trained with decoding.knowledge=none could read them)"
    )


def _why(knowledge: Knowledge, lost: Sequence[str]) -> str:
    lengths = sum(len(label) != knowledge.length for label in lost)
    parts = [(lengths, "for their length"), (len(lost) - lengths, "for a character at its position")]
    return ", ".join(f"{count} {reason}" for count, reason in parts if count)

"""What a model reads in the images, kept beside the labels."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from captcha_exp.files import replacing


@dataclass(frozen=True)
class Guesses:
    """The texts that one model reads.

    `labels` is the number of labels that there were when it was trained, 0 for the shipped model. `texts` has the text
    and the confidence for each file. `told` is a line about the model.
    """

    labels: int
    texts: dict[str, tuple[str, float]]
    told: str


def save_guesses(guesses: Guesses, path: Path) -> None:
    """Write them in place of earlier ones, completely or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        file.write(json.dumps(asdict(guesses)).encode())


def saved_guesses(path: Path) -> Guesses | None:
    """What `save_guesses` wrote; None if there is nothing of that kind."""
    try:
        kept: dict[str, Any] = json.loads(path.read_bytes())
        texts = {str(file): (str(text), float(confidence)) for file, (text, confidence) in kept["texts"].items()}
        return Guesses(int(kept["labels"]), texts, str(kept["told"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # the next retraining makes new ones

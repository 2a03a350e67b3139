"""The process that trains on the labels so far and reads all images with the new model."""

import logging
import os
import pickle
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from captcha_exp.config import Config, without_passwords
from captcha_exp.errors import InputError, first_line, joined_lines
from captcha_exp.interruption import interrupt, raise_if_interrupted
from captcha_exp.label.guesses import Guesses
from captcha_exp.piped_process import answering
from captcha_exp.terminal import complain

if TYPE_CHECKING:
    from captcha_exp.reader.predictor import Predictor

_BATCH = 256
# Seconds to mark a run as interrupted in the store.
_LAST_WORDS_S = 5.0
_ACCURACY = "best/val/sequence_accuracy"


@dataclass(frozen=True)
class Work:
    """What to do.

    `config` trains on the table; None reads with the shipped weights, without a training. `labels` is the number of its
    rows, `files` the names and paths of the images to read. `log` gets what libraries print.
    """

    config: Config | None
    labels: int
    files: Sequence[tuple[str, str]]
    log: Path


@dataclass(frozen=True)
class Failure:
    """Why there is no new model, in one line."""

    reason: str


# A line about the progress, or how it ended.
Message = str | Guesses | Failure


def main() -> None:
    """Read `Work` from standard input, do it, and write messages to standard output."""
    answer = _one_at_a_time(answering())
    work: Work = pickle.load(sys.stdin.buffer)
    _print_into(work.log)
    # The parent's only other sign is the end of its pipe, which comes even if it is killed.
    signal.signal(signal.SIGTERM, lambda *_: interrupt())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.nice(10)  # the page must stay quick
    _tell_what_is_logged(answer)
    try:
        answer(guesses_of(work, answer))
    except InputError as error:
        answer(Failure(without_passwords(joined_lines(error))))
    except Exception as error:
        for line in without_passwords(traceback.format_exc()).splitlines():
            complain(line)
        answer(Failure(without_passwords(f"{type(error).__name__}: {first_line(error)} ({work.log} has more)")))
    except KeyboardInterrupt:
        pass  # the run is marked as interrupted


def guesses_of(work: Work, answer: Callable[[Message], None]) -> Guesses:
    """Train, if there is something to train, and read all images.

    Args:
        work: what to do.
        answer: takes lines about the progress.

    Raises:
        InputError: the labels so far cannot be trained on.
    """
    if work.config is None:
        predictor, told = _shipped()
    else:
        predictor, told = _trained(work.config, work.labels)
    texts: dict[str, tuple[str, float]] = {}
    for first in range(0, len(work.files), _BATCH):
        raise_if_interrupted()
        answer(f"the model reads the images: {first} of {len(work.files)}")
        texts |= _read(predictor, work.files[first : first + _BATCH])
    return Guesses(work.labels, texts, told)


def _trained(config: Config, labels: int) -> "tuple[Predictor, str]":
    from captcha_exp.experiment import run_experiment

    outcome = run_experiment(config)
    # Import these now: what is wrong with the labels must not wait for MLflow.
    from captcha_exp.predict.load_predictor import load_predictor
    from captcha_exp.tracking import store_uri

    uri = store_uri(config.tracking.uri, config.root_path)
    share = outcome.metrics.get(_ACCURACY)
    right = "" if share is None else f" reads {share:.0%} of its validation images right"
    return load_predictor(f"runs:/{outcome.run_id}/model", uri), f"model of {labels} labels{right}"


def _shipped() -> "tuple[Predictor, str]":
    from captcha_exp.config import load_stored_config
    from captcha_exp.dataset.image_spec import image_spec
    from captcha_exp.experiment.shipped_start import shipped_start
    from captcha_exp.model import with_probabilities
    from captcha_exp.model.forward_pass import ForwardPass
    from captcha_exp.reader.decoding import Decoder
    from captcha_exp.reader.predictor import Predictor

    start = shipped_start()
    described = {
        "characters": start.characters,
        "image": image_spec(load_stored_config(start.config).dataset).to_dict(),
        "decoding": Decoder(start.characters).metadata(),
        "model_id": None,
    }
    return Predictor(ForwardPass(with_probabilities(start.model)), described), "shipped model, which has seen no label"


def _read(predictor: "Predictor", files: Sequence[tuple[str, str]]) -> dict[str, tuple[str, float]]:
    from captcha_exp.dataset.image_files import read_file
    from captcha_exp.reader.image_formats import BadImageError

    names, data = [], []
    for name, path in files:
        with suppress(BadImageError):  # it was removed since the start
            data.append(read_file(path))
            names.append(name)
    readings = zip(names, predictor.read(data), strict=True)
    return {name: (one.text, one.confidence) for name, one in readings if not isinstance(one, BadImageError)}


def _one_at_a_time(answer: Callable[[Any], None]) -> Callable[[Message], None]:
    lock = threading.Lock()

    def answering_alone(message: Message) -> None:
        with lock, suppress(BrokenPipeError):  # the parent has ended
            answer(message)

    return answering_alone


def _print_into(log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for stream in (1, 2):
        os.dup2(file, stream)


class _Telling(logging.Handler):
    def __init__(self, answer: Callable[[Message], None]) -> None:
        super().__init__()
        self._answer = answer

    def emit(self, record: logging.LogRecord) -> None:
        self._answer(without_passwords(logging.LogRecord.getMessage(record)))


def _tell_what_is_logged(answer: Callable[[Message], None]) -> None:
    package = logging.getLogger("captcha_exp")
    package.handlers, package.propagate = [_Telling(answer)], False
    package.setLevel(logging.INFO)


def _end_with_parent() -> None:
    while os.read(0, 1):  # it returns nothing when the parent has ended
        pass
    signal.raise_signal(signal.SIGTERM)
    threading.Event().wait(_LAST_WORDS_S)
    os._exit(1)

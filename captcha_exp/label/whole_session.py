"""One session of labelling, from the folder of images to the command that comes next."""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from captcha_exp.config import FolderConfig, LabelCommandConfig
from captcha_exp.errors import InputError
from captcha_exp.foreign_text import file_name
from captcha_exp.label.guesses import saved_guesses
from captcha_exp.label.image_pool import open_pool
from captcha_exp.label.label_application import label_application
from captcha_exp.label.label_server import run_server
from captcha_exp.label.label_table import LabelTable
from captcha_exp.label.labelled_dataset import next_command, with_table
from captcha_exp.label.labelling_session import LabellingSession
from captcha_exp.label.retraining import GUESSES_FILE, Retraining
from captcha_exp.lock import try_lock
from captcha_exp.serve.listening import address_of, bound, listen

_log = logging.getLogger(__name__)
HOST = "127.0.0.1"
_BACKLOG = 64
_SHIPPED = "shipped"


@dataclass(frozen=True)
class _Places:
    """The folder of the images, the table of their labels, and the folder of what only this command needs."""

    images: Path
    table: Path
    work: Path


def run_session(config: LabelCommandConfig, arguments: Sequence[str]) -> int | None:
    """Serve the page until a signal comes, then say what to do with the labels.

    Args:
        config: the folder, the table, and how to train.
        arguments: what was typed, for the command that comes next.

    Returns:
        The signal that ended it.

    Raises:
        InputError: the folder, the table or the port cannot be used, or another process writes to the table.
    """
    if not isinstance(config.dataset, FolderConfig):
        raise InputError(f"dataset={config.dataset.source} cannot be labelled; type dataset=folder dataset.path=DIR.")
    places = _places(config, config.dataset)
    with _held(places), bound(HOST, config.port) as listener:
        pool = open_pool(config.dataset)
        table = LabelTable(places.table)
        files = [(image.name, image.path) for image in pool.images]
        training = with_table(config, places.table.resolve(), places.images.resolve())
        retraining = Retraining(training, files, places.work, saved_guesses(places.work / GUESSES_FILE))
        session = LabellingSession(pool, table, retraining, config.test_every, config.retrain_every)
        listen(listener, HOST, config.port, _BACKLOG)
        _log.info("page http://%s   labels %s   Ctrl-C ends", address_of(listener), places.table)
        try:
            session.begin(shipped=config.training.initial_model == _SHIPPED)
            return run_server(label_application(session, HOST), listener)
        finally:
            retraining.stop()
            _tell_end(session, places, config, arguments)


def _places(config: LabelCommandConfig, dataset: FolderConfig) -> _Places:
    images = Path(dataset.path).expanduser()
    table = images / "labels.csv" if config.table is None else Path(config.table).expanduser()
    key = hashlib.sha256(str(table.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return _Places(images, table, config.root_path / "labelling" / f"{file_name(images.resolve().name)}-{key}")


@contextmanager
def _held(places: _Places) -> Iterator[None]:
    """Keep other processes from writing to the table."""
    try:
        places.work.mkdir(parents=True, exist_ok=True)
        lock = try_lock(places.work / "lock")
    except OSError as error:
        raise InputError(f"Cannot write {places.work} ({error.strerror}); choose another `root=DIR`.") from error
    if lock is None:
        raise InputError(f"Another `captcha-exp label` writes to {places.table}; end it first, or use its page.")
    try:
        yield
    finally:
        lock.release()


def _tell_end(session: LabellingSession, places: _Places, config: LabelCommandConfig, arguments: Sequence[str]) -> None:
    labels, test = session.counts
    kept_apart = f", {test} of them for the test" if test else ""
    _log.info("%d of %d images have labels%s: %s", labels, session.images, kept_apart, places.table)
    if labels > test:
        _log.info("next: %s", next_command(arguments, places.table, places.images, divided=test > 0))

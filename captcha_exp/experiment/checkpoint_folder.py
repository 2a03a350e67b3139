"""The folder where the same command finds the state of an interrupted run."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from captcha_exp.config import Config, flatten, to_plain, without_passwords
from captcha_exp.errors import InputError
from captcha_exp.files import replacing
from captcha_exp.lock import try_lock

# Keys that may differ when a run is continued. Paths may differ because the dataset's fingerprint identifies the data.
_FREE = ("root", "tracking.", "sweep.", "training.threads", "training.resume", "dataset.path", "dataset.image_root")


@dataclass(frozen=True)
class CheckpointFolder:
    """The folder of one experiment's state, held by this process alone.

    `path` is None if another process holds the folder. Then an equal run uses it, and this run keeps no state.
    """

    path: Path | None

    @property
    def run_id(self) -> str | None:
        """The id of the tracked run that left this state, or None."""
        if self.path is None or not self._run_file(self.path).is_file():
            return None
        return self._run_file(self.path).read_text(encoding="utf-8").strip()

    def keep_run_id(self, run_id: str) -> None:
        """Write down which tracked run the state belongs to."""
        if self.path is not None:
            self.path.mkdir(parents=True, exist_ok=True)
            with replacing(self._run_file(self.path)) as file:
                file.write(run_id.encode())

    def remove(self) -> None:
        """Delete the state."""
        if self.path is not None:
            shutil.rmtree(self.path, ignore_errors=True)

    @staticmethod
    def _run_file(folder: Path) -> Path:
        return folder / "run_id"


@contextmanager
def hold_checkpoint(config: Config, fingerprint: str, owner: str | None = None) -> Iterator[CheckpointFolder]:
    """Hold the folder for the state of an experiment. Equal experiments on equal data have the same folder.

    Args:
        config: if `training.resume` is false, the state of an earlier run is removed first.
        fingerprint: the dataset's fingerprint.
        owner: keeps the state from all others that have an equal configuration; None shares it with them.

    Raises:
        InputError: the folder cannot be written.
    """
    folder = config.checkpoints_path / _identity(config, fingerprint, owner)
    lock_path = folder.with_suffix(".lock")
    try:
        lock = try_lock(lock_path)
    except OSError as error:
        raise InputError(f"Cannot write {error.filename} ({error.strerror}); choose another `root=DIR`.") from error
    if lock is None:
        yield CheckpointFolder(None)
        return
    held = CheckpointFolder(folder)
    try:
        if not config.training.resume:
            held.remove()
        yield held
    finally:
        if not folder.exists():
            lock_path.unlink(missing_ok=True)
        lock.release()


def _identity(config: Config, fingerprint: str, owner: str | None) -> str:
    plain = flatten(without_passwords(to_plain(config)))
    flat = {key: value for key, value in plain.items() if not key.startswith(_FREE)}
    owned = [] if owner is None else [owner]
    text = json.dumps([version("captcha-exp"), fingerprint, flat, *owned], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]

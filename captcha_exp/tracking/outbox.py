"""What a run logged while its server was away: records on disk, in their order."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from captcha_exp.files import replacing

_SUFFIX, _FILES = ".json", ".files"
_REFUSED = ".refused"


@dataclass(frozen=True)
class Record:
    """One record: the values of a call, and the folder with its files."""

    path: Path

    @property
    def files(self) -> Path:
        return self.path.with_suffix(_FILES)

    def read(self) -> dict[str, Any]:
        """The values."""
        return dict(json.loads(self.path.read_text(encoding="utf-8")))

    def remove(self) -> None:
        """Forget a record that was delivered."""
        self.path.unlink(missing_ok=True)
        shutil.rmtree(self.files, ignore_errors=True)

    def set_aside(self) -> None:
        """Keep a record that the server refuses, but do not deliver it again."""
        self.path.replace(self.path.with_suffix(_REFUSED))


class Outbox:
    """The records of one run. One process writes them; any process of this machine may deliver them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._last = 0

    @property
    def run_id(self) -> str:
        return self.folder.name

    def records(self) -> list[Record]:
        """What is not delivered yet, the oldest first."""
        return [Record(path) for path in sorted(self.folder.glob(f"*{_SUFFIX}"))]

    def first(self) -> Record | None:
        """The record to deliver next."""
        records = self.records()
        return records[0] if records else None

    def refused(self) -> list[Path]:
        """Records that the server refused."""
        return sorted(self.folder.glob(f"*{_REFUSED}"))

    def append(self, values: dict[str, Any], keep: Callable[[Path], None] | None = None) -> None:
        """Write a record. When this returns, it is on disk.

        Args:
            values: plain values.
            keep: writes the record's files into the folder that it is given.

        Raises:
            OSError: there is no room.
        """
        while True:
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                self._append(values, keep)
                return
            except FileNotFoundError:
                if self.folder.exists():
                    raise
                # Whoever delivered the last record has removed the empty folder at this moment.

    def _append(self, values: dict[str, Any], keep: Callable[[Path], None] | None) -> None:
        waiting = [int(record.path.stem) for record in self.records()]
        # The clock may have been set back since the last record.
        self._last = max([time.time_ns(), self._last + 1, *(number + 1 for number in waiting)])
        record = Record(self.folder / f"{self._last:020d}{_SUFFIX}")
        if keep is not None:
            record.files.mkdir()
            keep(record.files)
        with replacing(record.path) as file:
            file.write(json.dumps(values).encode())

    def remove_if_empty(self) -> None:
        """Remove the folder unless something is in it."""
        try:
            self.folder.rmdir()
        except OSError:
            return


def outboxes(folder: Path) -> Iterator[Outbox]:
    """All outboxes below `folder`."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.is_dir():
            yield Outbox(path)


def undelivered(folder: Path) -> dict[str, int]:
    """By run id, how many records wait."""
    counts = {outbox.run_id: len(outbox.records()) for outbox in outboxes(folder)}
    return {run_id: count for run_id, count in counts.items() if count}

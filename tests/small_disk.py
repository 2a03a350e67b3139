"""A file system of its own that a test can fill to the last block."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BLOCK = 4096


class SmallDisk:
    """A folder on a file system of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._filler = path / ".filler"

    @property
    def free_blocks(self) -> int:
        return os.statvfs(self.path).f_bavail

    def leave(self, blocks: int) -> None:
        """Fill it until so many blocks are free, or give back as many."""
        size = self._filler.stat().st_size if self._filler.exists() else 0
        with self._filler.open("ab") as filler:
            os.truncate(self._filler, max(0, size - max(0, blocks - self.free_blocks) * BLOCK))
            filler.seek(0, os.SEEK_END)
            while self.free_blocks > blocks:
                filler.write(bytes(BLOCK))
                filler.flush()

    def make_room(self) -> None:
        """Give back what `leave` took."""
        self._filler.unlink(missing_ok=True)


@contextmanager
def mounted(path: Path, megabytes: int) -> Iterator[SmallDisk]:
    """Mount a small file system at `path`, a new folder.

    Raises:
        PermissionError: this process must not mount.
    """
    path.mkdir()
    options = f"size={megabytes}m,mode=755"
    mount = shutil.which("mount") or "/bin/mount"
    done = subprocess.run([mount, "-t", "tmpfs", "-o", options, "tmpfs", str(path)], capture_output=True, text=True)
    if done.returncode:
        raise PermissionError(done.stderr.strip())
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)

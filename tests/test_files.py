"""Files that are replaced whole or not at all, and what is told of a full disk."""

import errno
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from captcha_exp.command_line import exit_code
from captcha_exp.errors import FullDiskError, InputError
from captcha_exp.files import full_disk, made_whole, replacing, telling_full_disk
from tests.small_disk import BLOCK, SmallDisk


@pytest.mark.parametrize("blocks", range(6))
def test_a_full_disk_leaves_the_older_file(small_disk: SmallDisk, blocks: int) -> None:
    path = small_disk.path / "page.html"
    path.write_bytes(b"old")
    small_disk.leave(blocks)
    with pytest.raises(OSError, match="No space left on device") as raised, replacing(path) as file:
        for _ in range(6):
            file.write(b"x" * BLOCK)
    assert raised.value.filename == str(path)
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in small_disk.path.iterdir() if entry.name != ".filler"] == ["page.html"]
    small_disk.make_room()
    with replacing(path) as file:
        file.write(b"new")
    assert path.read_bytes() == b"new"


def test_an_interruption_leaves_the_older_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), replacing(tmp_path / "a") as file:
        file.write(b"half of it")
        raise KeyboardInterrupt
    assert (tmp_path / "a").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]


def test_processes_that_replace_one_file_at_once_leave_one_of_theirs(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from captcha_exp.files import replacing\n"
        "for _ in range(30):\n"
        "    with replacing(Path(sys.argv[1])) as file:\n"
        "        for _ in range(20): file.write(sys.argv[2].encode() * 5000)\n"
    )
    children = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "a"), text]) for text in "xyz"]
    seen = set()
    while any(child.poll() is None for child in children):
        if (tmp_path / "a").exists():
            seen.add((tmp_path / "a").read_bytes())
    assert [child.returncode for child in children] == [0, 0, 0]
    assert seen <= {letter * 100_000 for letter in (b"x", b"y", b"z")}
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("blocks", range(5))
def test_a_database_is_made_whole_or_not_at_all(small_disk: SmallDisk, blocks: int) -> None:
    path = small_disk.path / "a.db"
    small_disk.leave(blocks)

    def make() -> None:
        with made_whole(path) as partial, closing(sqlite3.connect(partial)) as connection:
            connection.execute("CREATE TABLE a (b)")
            connection.execute("CREATE INDEX c ON a (b)")

    with pytest.raises(sqlite3.OperationalError):
        make()
    assert not [entry for entry in small_disk.path.iterdir() if entry.name != ".filler"]
    small_disk.make_room()
    make()
    assert os.listdir(small_disk.path) == ["a.db"]


def write_plainly(folder: Path) -> None:
    (folder / "a").write_bytes(bytes(10 * BLOCK))


def write_with_numpy(folder: Path) -> None:
    np.save(folder / "a.npy", np.zeros(10 * BLOCK))


def insert(folder: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{folder}/a.db")
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE a (b)"))


def wrap(folder: Path) -> None:
    try:
        write_plainly(folder)
    except OSError as error:
        raise InputError(f"The cache cannot be used ({error}).") from error


def hide(folder: Path) -> None:
    try:
        write_plainly(folder)
    except OSError:
        raise RuntimeError("something went wrong") from None


@pytest.mark.parametrize("write", [write_plainly, write_with_numpy, insert, wrap, hide])
def test_a_full_disk_is_known_from_whatever_it_makes_fail(
    small_disk: SmallDisk, write: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    small_disk.leave(0)

    def work() -> None:
        with telling_full_disk(small_disk.path):
            write(small_disk.path)

    assert exit_code(work) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"error: There is no room on the disk of {small_disk.path}")
    assert told.endswith(
        "make room there or set another `root`, then type the same command again: it goes on from what is there.\n"
    )
    assert told.count("\n") == 1


def test_without_room_for_temporary_files_their_folder_is_told(small_disk: SmallDisk) -> None:
    script = (
        "import tempfile; from captcha_exp.command_line import exit_code\n"
        "from captcha_exp.files import telling_full_disk\n"
        "def work():\n"
        "    with telling_full_disk(): tempfile.TemporaryFile().write(bytes(10 ** 6))\n"
        "raise SystemExit(exit_code(work))"
    )
    small_disk.leave(1)
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "TMPDIR": str(small_disk.path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert f"no room on the disk of {small_disk.path} (No space left" in done.stderr
    assert "another `TMPDIR`" in done.stderr and done.stderr.count("\n") == 1


def test_a_file_that_may_grow_no_more_is_told_like_a_full_disk(tmp_path: Path) -> None:
    """A quota and a limit of the shell say so in other words."""
    script = (
        "import resource, sys; from pathlib import Path; from captcha_exp.command_line import exit_code\n"
        "from captcha_exp.files import replacing, telling_full_disk\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10000, 10000))\n"
        "def work():\n"
        "    with telling_full_disk(), replacing(Path(sys.argv[1])) as file: file.write(bytes(20000))\n"
        "raise SystemExit(exit_code(work))"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "a")], capture_output=True, text=True)
    assert done.returncode == 2
    assert f"no room on the disk of {tmp_path}/a (File too large)" in done.stderr


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EACCES, "Permission denied", "/a"),
        sqlite3.OperationalError("database is locked"),
        InputError("The label 'disk is full' has characters outside the vocabulary."),
        FileNotFoundError(errno.ENOENT, "No such file or directory", "/a"),
    ],
)
def test_other_errors_are_none_of_a_full_disk(error: Exception, tmp_path: Path) -> None:
    assert full_disk(error, tmp_path) is None
    with pytest.raises(type(error)) as raised, telling_full_disk(tmp_path):
        raise error
    assert raised.value is error


def test_what_a_server_says_of_its_own_disk_is_understood() -> None:
    told = full_disk(RuntimeError('could not extend file "base/5/16384": No space left on device'))
    assert isinstance(told, FullDiskError) and "No space left on device" in str(told)

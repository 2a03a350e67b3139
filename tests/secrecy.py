"""Looking for secrets in all that commands leave, print and show in the list of processes."""

import base64
import sqlite3
import threading
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from secrets import token_hex
from typing import Self
from urllib.parse import quote

import sqlalchemy as sa


class Secret:
    """A password whose middle is the same however it is encoded, and what else would give it away."""

    def __init__(self, user: str) -> None:
        # A new one each time: the list of processes shows what other tests do at once.
        self.user, self.middle = user, f"zq{token_hex(8)}"
        self.password = f"{self.middle}/@:%1"
        self.userinfo = f"{user}:{quote(self.password, safe='')}"
        login = f"{user}:{self.password}".encode()
        self.traces = (self.middle.encode(), base64.b64encode(login).rstrip(b"=")[:-2])


def places_with(secrets: list[Secret], folder: Path) -> list[str]:
    """Files below `folder`, and members of archives and databases among them, that hold a trace of a secret."""
    return [name for name, content in _contents(folder) if holds(secrets, content)]


def holds(secrets: list[Secret], content: bytes | str) -> bool:
    content = content.encode() if isinstance(content, str) else content
    return any(trace in content for secret in secrets for trace in secret.traces)


def _contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in folder.rglob("*"):
        if not path.is_file():
            continue
        content = path.read_bytes()
        yield str(path), content
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                yield from ((f"{path}:{name}", archive.read(name)) for name in archive.namelist())
        if content.startswith(b"SQLite format 3"):  # whose pages may cut a text in two
            with closing(sqlite3.connect(path)) as database:
                yield f"{path}:dump", "\n".join(database.iterdump()).encode()


def dump(url: str) -> str:
    """Every row of every table of a database."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        tables = sa.inspect(engine).get_table_names()
        rows = [str(row) for table in tables for row in connection.execute(sa.text(f'SELECT * FROM "{table}"'))]
    engine.dispose()
    return "\n".join([*tables, *rows])


class ProcessList:
    """The command lines of every process of this machine, looked at again and again while this context lasts."""

    def __init__(self) -> None:
        self.seen: dict[str, set[int]] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def showing(self, secrets: list[Secret], but: int | None = None) -> list[str]:
        """Command lines with a trace of a secret, leaving out those of the process `but` alone."""
        return [line for line, pids in self.seen.items() if holds(secrets, line) and pids - {but}]

    def _look(self) -> None:
        while not self._over.wait(0.05):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
                except OSError:
                    continue  # it has ended
                self.seen.setdefault(line, set()).add(int(path.parent.name))

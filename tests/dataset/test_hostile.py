"""Folders and tables that were made, or have grown, to do harm."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from captcha_exp.config import Config
from captcha_exp.dataset.cache import load_or_build
from captcha_exp.dataset.folder import open_folder
from captcha_exp.dataset.manifest import open_manifest
from captcha_exp.dataset.samples import Source
from captcha_exp.errors import InputError
from captcha_exp.reader.image import ImageSpec

Compose = Callable[..., Config]
MakeFolder = Callable[..., Path]
OUT = "a link that leads out of dataset.path"


def folder_source(compose: Compose, folder: Path, *overrides: str) -> Source:
    config = compose("dataset=folder", f"dataset.path={folder}", *overrides)
    return open_folder(config.dataset, config.root_path / "cache")  # type: ignore[arg-type]


def table_source(compose: Compose, table: Path, *overrides: str) -> Source:
    return open_manifest(
        compose("dataset=manifest", f"dataset.path={table}", *overrides).dataset, table.parent / "cache"
    )  # type: ignore[arg-type]


def reasons(source: Source) -> dict[str, str]:
    return {file.name: file.reason for file in source.skipped}


def test_links_are_followed_inside_the_folder_alone(compose: Compose, make_folder: MakeFolder) -> None:
    folder, outside = make_folder(["one", "two"]), make_folder(["secret"], "elsewhere")
    (folder / "inside.png").symlink_to("one.png")
    (folder / "chain.png").symlink_to(folder / "inside.png")
    (folder / "outside.png").symlink_to(outside / "secret.png")
    (folder / "relative.png").symlink_to("../elsewhere/secret.png")
    (folder / "loop.png").symlink_to("loop.png")
    (folder / "device.png").symlink_to("/dev/zero")
    source = folder_source(compose, folder)
    assert [sample.label for sample in source.samples] == ["chain", "inside", "one", "two"]
    assert reasons(source) == {
        "outside.png": OUT,
        "relative.png": OUT,
        "device.png": OUT,
        "loop.png": "Too many levels of symbolic links",
    }


def test_a_link_in_the_folders_own_path_is_the_users_choice(compose: Compose, make_folder: MakeFolder) -> None:
    folder = make_folder(["one"])
    link = folder.with_name("link")
    link.symlink_to(folder)
    assert len(folder_source(compose, link).samples) == 1


def test_a_recursive_search_finds_everything_once(compose: Compose, make_folder: MakeFolder) -> None:
    folder, outside = make_folder(["one"]), make_folder(["secret"], "elsewhere")
    make_folder(["two"], "images/sub/deep")
    (folder / "sub" / "up").symlink_to(folder)
    (folder / "again").symlink_to("sub")
    (folder / "out").symlink_to(outside)
    (folder / "nowhere").symlink_to("gone")
    source = folder_source(compose, folder, "dataset.recursive=true")
    assert [sample.name for sample in source.samples] == ["one.png", "sub/deep/two.png"]
    assert reasons(source) == {"out": OUT}


def test_folders_nested_deeper_than_a_path_can_say_are_named(
    compose: Compose, make_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_folder(["one"])
    monkeypatch.chdir(folder)
    for _ in range(40):
        os.mkdir("d" * 120)
        os.chdir("d" * 120)
    source = folder_source(compose, folder, "dataset.recursive=true")
    assert [sample.label for sample in source.samples] == ["one"]
    assert list(reasons(source).values()) == ["a folder that cannot be listed (File name too long)"]


@pytest.mark.timeout(60)
def test_files_that_change_after_they_were_listed_are_skipped_by_name(
    compose: Compose, make_folder: MakeFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_folder(["kept", "vanished", "cut", "pipe", "folder", "emptied"])
    server = socket.socket(socket.AF_UNIX)
    monkeypatch.chdir(folder)  # a socket's path must be short
    server.bind("socket.png")
    source = folder_source(compose, folder)
    server.close()
    (folder / "vanished.png").unlink()
    os.truncate(folder / "cut.png", 300)
    os.truncate(folder / "emptied.png", 0)
    for name, make in (("pipe.png", os.mkfifo), ("folder.png", os.mkdir)):
        (folder / name).unlink()
        make(folder / name)
    cached = load_or_build(source, ImageSpec(8, 16, False, 255), tmp_path / "cache")
    assert [sample.label for sample in cached.samples] == ["kept"]
    skipped = {file.name: file.reason for file in cached.skipped}
    assert skipped.pop("cut.png").startswith("not readable as an image")
    assert skipped == {
        "vanished.png": "No such file or directory",
        "emptied.png": "the file is empty",
        "pipe.png": "not a regular file",
        "folder.png": "a directory",
    }
    assert reasons(source) == {"socket.png": "not a regular file"}


def test_rows_that_lead_out_of_the_image_folder_are_skipped(compose: Compose, make_folder: MakeFolder) -> None:
    folder, outside = make_folder(["one", "two"]), make_folder(["secret"], "elsewhere")
    (folder / "sub").symlink_to(outside)
    (folder / "link.png").symlink_to(outside / "secret.png")
    files = [
        *("one.png", "./sub/../two.png", f"{folder}/one.png"),
        *(f"{outside}/secret.png", "../elsewhere/secret.png", "sub/secret.png", "link.png", "/dev/zero"),
        *("..", "a/" * 60_000, "one.png\0"),
    ]
    table = folder / "labels.csv"
    table.write_text("file,label\n" + "".join(f"{file},x\n" for file in files))
    source = table_source(compose, table)
    # As the system resolves it, `sub/..` is where the link leads, not where it stands.
    assert [sample.name for sample in source.samples] == ["one.png", f"{folder}/one.png"]
    reason = f"outside {folder}; set dataset.image_root to a folder above it"
    found = [file.reason for file in source.skipped]
    assert found[:6] == [reason] * 6
    assert found[6:] == ["a directory", "its name is too long", "its name has a NUL"]
    assert all(len(file.name) < 250 for file in source.skipped)
    above = table_source(compose, table, f"dataset.image_root={folder.parent}")
    assert {"../elsewhere/secret.png", "link.png"} & {sample.name for sample in above.samples} == set()
    assert f"{outside}/secret.png" in {sample.name for sample in above.samples}


def test_a_cell_that_a_spreadsheet_would_execute_is_text(compose: Compose, make_folder: MakeFolder) -> None:
    folder = make_folder(["one"])
    labels = ["=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://x")']
    table = folder / "labels.csv"
    quoted = [label.replace('"', '""') for label in labels]
    table.write_text("file,label\n" + "".join(f'one.png,"{label}"\n' for label in quoted))
    assert [sample.label for sample in table_source(compose, table).samples] == labels


def test_a_label_that_no_image_could_show_is_skipped(compose: Compose, make_folder: MakeFolder) -> None:
    folder = make_folder(["one"])
    (folder / "labels.csv").write_text(f"file,label\none.png,{'x' * 257}\none.png,a\none.png,a\0b\n")
    source = table_source(compose, folder / "labels.csv")
    assert [file.reason for file in source.skipped] == [
        "its label has 257 characters, more than 256",
        "its label 'a\\x00b' has characters that cannot be printed",
    ]


def many_columns(table: Path) -> None:
    table.write_text(",".join(["c"] * 10_000_000))


def one_endless_line(table: Path) -> None:
    table.write_text("file,label\n")
    os.truncate(table, 400 * 2**20)


def one_endless_row(table: Path) -> None:
    table.write_text("file,label\n" + '"x\n",' * 600_000)


def many_rows(table: Path) -> None:
    table.write_text("file,label\n" + "a.png,x\n" * 10_000_000)


def many_bytes(table: Path) -> None:
    table.touch()
    os.truncate(table, 2**40)


def legacy(table: Path) -> None:
    table.write_text("file,label\none.png,é\n", encoding="cp1252")


# Half a gigabyte above what the imports take, so nothing is read whole.
READ = """
import resource, sys
from pathlib import Path
from captcha_exp.config import ManifestConfig
from captcha_exp.dataset.manifest import open_manifest
from captcha_exp.errors import InputError
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**28, used + 2**28))
try:
    columns = {"file_column": "file", "label_column": "label", "split_column": "split", "given_splits": False}
    found_out = {"image_root": None, "delimiter": None, "encoding": None, "header": None}
    config = ManifestConfig.model_construct(path=sys.argv[1], **columns, **found_out)
    open_manifest(config, Path("cache"))
except InputError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (many_columns, "has a row of more than 1048576 characters at line 1; it is no table of labels"),
        (one_endless_line, "has a row of more than 1048576 characters at line 2"),
        (one_endless_row, "has a row of more than 1048576 characters at line 2"),
        (many_rows, "has more than 2000000 lines (10000001); divide it."),
        (many_bytes, "is larger than 512 MiB (1099511627776 bytes); divide it."),
        (legacy, "is not in UTF-8 (line 2), and its bytes do not say in which encoding"),
    ],
)
def test_a_table_made_to_exhaust_the_machine_is_refused_in_little_memory(
    tmp_path: Path, write: Callable[[Path], None], message: str
) -> None:
    table = tmp_path / "labels.csv"
    write(table)
    done = subprocess.run(
        [sys.executable, "-c", READ, str(table)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-500:]
    (line,) = done.stdout.splitlines()
    assert message in line


def test_a_row_left_open_by_a_missing_quote_is_told(compose: Compose, tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text('file,label\n"a.png,x\n' + "b.png,y\n" * 100)
    with pytest.raises(InputError, match=r"labels\.csv cannot be read as a table after line 1: unexpected end of data"):
        table_source(compose, table)

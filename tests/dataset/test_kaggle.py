"""Kaggle sets through kagglehub's own client, against a loopback server that speaks its protocol."""

import fcntl
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from PIL import Image

# kagglehub's test environment knows one address, so these tests take turns.
PORT = 7777
FOURNIERP = "fournierp/captcha-version-2-images"
MAHMOUD = "mahmoudeldebase/captcha-numbers-length-6"


@dataclass
class Kaggle:
    """What the server answers: archives by handle, or a status for every request."""

    archives: dict[str, bytes] = field(default_factory=dict)
    status: int = 200
    # Where the connection breaks, if anywhere, while an archive is sent.
    cut_at: int | None = None
    requests: list[str] = field(default_factory=list)
    server: ThreadingHTTPServer | None = None

    def stop(self) -> None:
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


def image_bytes(seed: int, image_format: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (12, 40), np.uint8)).save(buffer, image_format)
    return buffer.getvalue()


def archive(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for name, data in files.items():
            packed.writestr(name, data)
    return buffer.getvalue()


def fournierp_files() -> dict[str, bytes]:
    """PNGs beside a few JPGs, and a nested copy of everything."""
    stems = [f"{index:04d}e" for index in range(50)]
    files = {f"{stem}.{'jpg' if index < 5 else 'png'}": index for index, stem in enumerate(stems)}
    data = {name: image_bytes(seed, "JPEG" if name.endswith("jpg") else "PNG") for name, seed in files.items()}
    return {f"{folder}/{name}": data[name] for folder in ("samples", "samples/samples") for name in data}


@pytest.fixture(autouse=True)
def port_to_oneself() -> Iterator[None]:
    """kagglehub's test port is fixed: one test at a time, whichever process runs it."""
    with (Path(tempfile.gettempdir()) / f"port-{PORT}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture
def kaggle() -> Iterator[Kaggle]:
    state = Kaggle()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            request = self.path.rsplit("/", 1)[1]
            handle = f"{body['ownerSlug']}/{body['datasetSlug']}"
            state.requests.append(f"{request} {handle}")
            if state.status != 200:
                self.answer(state.status, b"{}", "application/json")
            elif handle not in state.archives:
                self.answer(404, b'{"code": 404, "message": "not found"}', "application/json")
            elif request == "GetDataset":
                self.answer(200, b'{"currentVersionNumber": 3}', "application/json")
            else:
                # Like the real one, which sends a client on to a store that can send the rest of a file.
                self.send_response(302)
                self.send_header("Location", f"http://localhost:{PORT}/{handle}.zip")
                self.send_header("Content-Length", "0")
                self.end_headers()

        def do_GET(self) -> None:
            first = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
            state.requests.append(f"GET from {first}")
            self.answer(206 if first else 200, state.archives[self.path[1:-4]][first:], "application/zip")

        def answer(self, status: int, data: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Accept-Ranges", "bytes")
            self.end_headers()
            self.wfile.write(data if kind == "application/json" else data[: state.cut_at])

        def log_message(self, format: str, *args: object) -> None:
            pass

    deadline = time.monotonic() + 60
    while state.server is None:
        try:
            state.server = ThreadingHTTPServer(("127.0.0.1", PORT), Handler)
        except OSError:
            assert time.monotonic() < deadline, f"port {PORT} stays taken"
            time.sleep(0.5)
    Thread(target=state.server.serve_forever, daemon=True).start()
    yield state
    state.stop()


@pytest.fixture
def prepare(tmp_path: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Run the command as a user without Kaggle credentials, in folders of the test."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LANG") if name in os.environ}
    environment = {
        **kept,
        "HOME": str(tmp_path / "home"),
        "KAGGLE_API_ENVIRONMENT": "TEST",
        "KAGGLEHUB_CACHE": str(tmp_path / "kagglehub"),
        "NO_PROXY": "*",
    }

    def run(*overrides: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "captcha_exp.prepare", f"root={tmp_path}", *overrides]
        return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=120)

    return run


Prepare = Callable[..., "subprocess.CompletedProcess[str]"]


def last_error(done: "subprocess.CompletedProcess[str]") -> str:
    assert done.returncode == 2, done.stdout + done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and "Traceback" not in done.stderr + done.stdout, done.stderr
    return errors[0]


def test_a_set_is_fetched_once_and_found_again_without_a_network(kaggle: Kaggle, prepare: Prepare) -> None:
    kaggle.archives[FOURNIERP] = archive(fournierp_files())
    first = prepare("dataset=fournierp")
    assert first.returncode == 0, first.stderr
    assert f"{FOURNIERP}: 50 images, labels from the names of the files, 50 copies in nested folders left out" in (
        first.stdout
    )
    assert "images       40 train, 5 validation, 5 test" in first.stdout
    assert kaggle.requests == [f"GetDataset {FOURNIERP}", f"DownloadDataset {FOURNIERP}", "GET from 0"]
    kaggle.stop()
    again = prepare("dataset=fournierp")
    assert again.returncode == 0, again.stderr
    assert "prepared" not in again.stdout.replace("captcha_exp.prepare", "")


def test_several_sets_are_mixed_and_keep_their_origin(kaggle: Kaggle, prepare: Prepare) -> None:
    kaggle.archives[FOURNIERP] = archive(fournierp_files())
    kaggle.archives[MAHMOUD] = archive({f"images/{500000 + 37 * i}.png": image_bytes(900 + i) for i in range(30)})
    done = prepare("dataset=all", f"dataset.handles=[{FOURNIERP},{MAHMOUD}]")
    assert done.returncode == 0, done.stderr
    assert f"origins      50 {FOURNIERP}, 30 {MAHMOUD}" in done.stdout
    assert "of length 5 (50), 6 (30)" in done.stdout


def test_labels_that_stand_in_a_table_are_found_there(kaggle: Kaggle, prepare: Prepare) -> None:
    files = {f"data/captcha_{i:06d}.png": image_bytes(i) for i in range(40)}
    table = "image_path,solution\n" + "".join(f"data/captcha_{i:06d}.png,{123456 + 7 * i}\n" for i in range(40))
    kaggle.archives[MAHMOUD] = archive({**files, "labels.csv": table.encode(), "readme.csv": b"a,b\n1,2\n"})
    done = prepare("dataset=mahmoudeldebase")
    assert done.returncode == 0, done.stderr
    assert "40 images, labels from the rows of labels.csv" in done.stdout
    assert "40 different, of length 6 (40)" in done.stdout


def test_six_digits_inside_a_longer_name_are_found(kaggle: Kaggle, prepare: Prepare) -> None:
    files = {f"img-{123456 + 7 * i}_x.png": image_bytes(i) for i in range(40)}
    kaggle.archives[MAHMOUD] = archive({**files, "cover.png": image_bytes(99)})
    done = prepare("dataset=mahmoudeldebase", "dataset.max_bad_share=0.1")
    assert "40 different, of length 6 (40)" in done.stdout
    assert f"  {MAHMOUD}/cover.png: the names of the files give it no label" in done.stdout.splitlines()


def test_a_set_without_findable_labels_is_refused_with_where_it_lies(kaggle: Kaggle, prepare: Prepare) -> None:
    kaggle.archives[MAHMOUD] = archive({f"image ({i}).png": image_bytes(i) for i in range(10)})
    error = last_error(prepare("dataset=mahmoudeldebase"))
    assert "No labels were found for the 10 images" in error and "'image (0).png'" in error
    assert "use `dataset=folder` with `dataset.label_pattern`, or `dataset=manifest`" in error


def test_corrupt_files_of_a_set_are_skipped_by_name(kaggle: Kaggle, prepare: Prepare) -> None:
    handle = "bharatnaik111/vtu-university-captchas-with-labels"
    files = {f"captchas/{i:04d}Ab.png": image_bytes(i) for i in range(40)}
    kaggle.archives[handle] = archive({**files, "captchas/2GAUXb.png": b"\x89PNG broken", "captchas/jTxNsr.png": b""})
    assert "2 of 42 files cannot be used (4.8%)" in last_error(prepare("dataset=bharatnaik111"))
    done = prepare("dataset=bharatnaik111", "dataset.max_bad_share=0.05")
    assert f"  {handle}/captchas/jTxNsr.png: the file is empty" in done.stdout.splitlines()


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_says_how_to_log_in(kaggle: Kaggle, prepare: Prepare, status: int) -> None:
    kaggle.status = status
    error = last_error(prepare("dataset=fournierp"))
    assert f"Kaggle refused {FOURNIERP} (HTTP {status}): put a token" in error
    assert "KAGGLE_API_TOKEN" in error and "`dataset=folder dataset.path=...`" in error


def test_an_unknown_set_and_a_server_in_trouble_are_told_apart(kaggle: Kaggle, prepare: Prepare) -> None:
    error = last_error(prepare("dataset=fournierp", "dataset.handles=[nobody/nothing]"))
    assert error == "error: Kaggle has no dataset nobody/nothing (HTTP 404); check `dataset.handles`."
    kaggle.status = 503
    assert "Kaggle answered HTTP 503" in last_error(prepare("dataset=fournierp"))


def test_a_download_that_breaks_off_is_told_and_goes_on_where_it_was(
    kaggle: Kaggle, prepare: Prepare, tmp_path: Path
) -> None:
    whole = archive(fournierp_files())
    kaggle.archives[FOURNIERP], kaggle.cut_at = whole, 20_000
    error = last_error(prepare("dataset=fournierp"))
    assert f"{FOURNIERP} could not be fetched from Kaggle: " in error and error.endswith("Run the command again.")
    kaggle.cut_at = None
    # kagglehub's test environment reads all of an answer before it writes: this is what a kill leaves elsewhere.
    (left,) = (tmp_path / "kagglehub").glob("datasets/fournierp/*")
    (left / "3.archive").write_bytes(whole[:20_000])
    done = prepare("dataset=fournierp")
    assert done.returncode == 0, done.stderr
    assert kaggle.requests[-2:] == ["GET from 0", "GET from 20000"]
    assert "images       40 train, 5 validation, 5 test" in done.stdout


def tar(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as packed:
        for info, data in members:
            info.size = len(data)
            packed.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def link(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, target
    return info, b""


@pytest.mark.parametrize(
    ("packed", "reason"),
    [
        (b"this is no archive", "Unsupported archive type"),
        (archive(fournierp_files())[:-2000] + archive({"samples/x.png": b"x" * 10})[-80:], ""),
        (tar((tarfile.TarInfo("../outside.png"), image_bytes(1))), "outside the destination"),
        (tar(link("samples/11111.png", "../../../../../outside.png")), "outside the destination"),
    ],
    ids=["none", "damaged", "path outside", "link outside"],
)
def test_an_archive_that_cannot_be_unpacked_safely_is_refused_and_fetched_again(
    kaggle: Kaggle, prepare: Prepare, tmp_path: Path, packed: bytes, reason: str
) -> None:
    kaggle.archives[FOURNIERP] = packed
    error = last_error(prepare("dataset=fournierp"))
    assert f"What Kaggle sent for {FOURNIERP} cannot be unpacked safely: " in error and reason in error
    assert not list(tmp_path.rglob("outside.png")) and not list(tmp_path.rglob("*.archive"))
    kaggle.archives[FOURNIERP] = archive(fournierp_files())
    done = prepare("dataset=fournierp")
    assert done.returncode == 0, done.stderr
    assert kaggle.requests.count("GET from 0") == 2


def test_a_zip_with_paths_outside_is_unpacked_inside(kaggle: Kaggle, prepare: Prepare, tmp_path: Path) -> None:
    hostile = {"../../../../../../escaped.png": image_bytes(1), f"{tmp_path}/absolute.png": image_bytes(2)}
    kaggle.archives[FOURNIERP] = archive({**fournierp_files(), **hostile})
    done = prepare("dataset=fournierp")
    assert done.returncode == 0, done.stderr
    found = [*tmp_path.rglob("escaped.png"), *tmp_path.rglob("absolute.png")]
    assert len(found) == 2 and all(tmp_path / "kagglehub" in path.parents for path in found)


def test_without_a_network_one_line_says_what_to_do(prepare: Prepare) -> None:
    error = last_error(prepare("dataset=fournierp"))
    assert f"Kaggle cannot be reached for {FOURNIERP} (ConnectionError)" in error
    assert "use `dataset=folder dataset.path=...`" in error


@pytest.mark.parametrize("handles", ["[nonsense]", "[a/b,a/b]", "[a/b/versions/x]", "[../b]"])
def test_a_malformed_or_repeated_handle_is_refused(prepare: Prepare, handles: str) -> None:
    error = last_error(prepare("dataset=fournierp", f"dataset.handles={handles}"))
    assert "dataset.handles must be different Kaggle handles like owner/name, not" in error

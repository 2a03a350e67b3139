"""A loopback server that speaks as much of Kaggle's protocol as kagglehub's own client asks for."""

import io
import json
import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
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


class Handler(BaseHTTPRequestHandler):
    """Answers as `kaggle` says."""

    kaggle: Kaggle

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        request = self.path.rsplit("/", 1)[1]
        handle = f"{body['ownerSlug']}/{body['datasetSlug']}"
        self.kaggle.requests.append(f"{request} {handle}")
        if self.kaggle.status != 200:
            self.answer(self.kaggle.status, b"{}", "application/json")
        elif handle not in self.kaggle.archives:
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
        self.kaggle.requests.append(f"GET from {first}")
        self.answer(206 if first else 200, self.kaggle.archives[self.path[1:-4]][first:], "application/zip")

    def answer(self, status: int, data: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()
        self.wfile.write(data if kind == "application/json" else data[: self.kaggle.cut_at])

    def log_message(self, format: str, *args: object) -> None:
        pass


Prepare = Callable[..., "subprocess.CompletedProcess[str]"]


def last_error(done: "subprocess.CompletedProcess[str]") -> str:
    assert done.returncode == 2, done.stdout + done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and "Traceback" not in done.stderr + done.stdout, done.stderr
    return errors[0]

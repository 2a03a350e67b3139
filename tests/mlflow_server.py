"""A real MLflow server on loopback, in processes of its own."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.loopback import end_server, free_port, start_server


class MlflowServer:
    """Runs in SQLite, and artifacts through the server, so that clients share no folder with it."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.uri = f"http://127.0.0.1:{self.port}"
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and return when it answers."""
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--workers", "1", "--backend-store-uri", f"sqlite:///{self.folder}/mlflow.db"]
        command += ["--artifacts-destination", str(self.folder / "kept")]
        settings = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        self._process = start_server(command, f"{self.uri}/health", self.folder, **settings)

    def end(self, sent: int = signal.SIGTERM) -> None:
        """End it, by SIGKILL as if the machine failed."""
        if self._process is not None:
            end_server(self._process, sent)
            self._process = None


@contextmanager
def running_server(empty_database: Path, folder: Path) -> Iterator[MlflowServer]:
    """A server that has its tables already, in `folder`."""
    shutil.copy(empty_database, folder)
    server = MlflowServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.end(signal.SIGKILL)  # nothing in it is to be kept, and its good end takes long

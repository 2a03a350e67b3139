"""A real MLflow server on loopback, in processes of its own."""

import signal
import subprocess
import sys
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

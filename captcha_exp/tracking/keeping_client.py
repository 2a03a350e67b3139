"""An MLflow client that outlives an absence of its server: what runs log is kept on disk, and delivered later."""

import logging
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import DatasetInput, Metric, Param, RunTag

from captcha_exp.config import without_passwords
from captcha_exp.tracking import sending
from captcha_exp.tracking.answering import time_for_uploads
from captcha_exp.tracking.courier import Courier, deliver
from captcha_exp.tracking.outbox import Outbox, undelivered
from captcha_exp.tracking.server_away import given_up, is_away, patiently, pauses_s

_POLL_S = 0.2
_log = logging.getLogger(__name__)


class KeepingClient:
    """Has the methods of `MlflowClient`.

    What only adds to a run (metrics, params, tags, inputs, artifacts, its end) never waits: if the server is away, or
    earlier records of the run still wait, it becomes a record. All else waits for the server.

    Attributes:
        longest_s: how long a call waits before it raises `StoreAwayError`.
    """

    def __init__(self, client: MlflowClient, folder: Path, uri: str, longest_s: float) -> None:
        """Args:
        client: raises at once if the server is away.
        folder: for the records of this server's runs.
        uri: the server's address.
        longest_s: see the class.
        """
        self.longest_s = longest_s
        self._client, self._folder, self._uri = client, folder, uri
        self._courier = Courier(folder, client, uri)
        self._outboxes: dict[str, Outbox] = {}
        if undelivered(folder):
            self._courier.wake()

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._client, name)
        if not callable(value):
            return value
        return lambda *args, **kwargs: patiently(lambda: value(*args, **kwargs), self._uri, self.longest_s)

    def log_batch(
        self,
        run_id: str,
        metrics: Sequence[Metric] = (),
        params: Sequence[Param] = (),
        tags: Sequence[RunTag] = (),
    ) -> None:
        """Log metrics, params and tags."""
        self._send(run_id, sending.batch(metrics, params, tags))

    def log_inputs(self, run_id: str, datasets: Sequence[DatasetInput]) -> None:
        """Log dataset inputs."""
        self._send(run_id, sending.inputs(datasets))

    def log_artifact(self, run_id: str, local_path: str, artifact_path: str | None = None) -> None:
        """Log a file."""
        path = Path(local_path)
        self._send(
            run_id,
            sending.artifact(path.name, artifact_path),
            path.parent,
            lambda folder: shutil.copyfile(path, folder / path.name),
        )

    def set_terminated(self, run_id: str, status: str) -> None:
        """End a run, now."""
        self._send(run_id, sending.ending(status, int(time.time() * 1000)))

    def log_model(self, run_id: str, now: Callable[[MlflowClient], str], save: Callable[[Path], None]) -> str | None:
        """Log a model: by `now`, or by a record whose folder `save` fills.

        Returns:
            The model's id; None if the server gives it later.
        """
        outbox = self._outbox(run_id)
        if outbox.first() is None:
            try:
                return now(self._client)
            except Exception as error:
                self._check_away(error)
        self._keep(outbox, sending.model(), save)
        return None

    def settle(self, run_id: str) -> None:
        """Wait until the server has all that was kept of a run, before the run goes on.

        Raises:
            StoreAwayError: the server was away for too long.
        """
        outbox, began = self._outbox(run_id), time.monotonic()
        while outbox.first() is not None:
            waited_s = time.monotonic() - began
            if waited_s > self.longest_s:
                raise given_up(self._uri, waited_s)
            self._courier.wake()
            time.sleep(_POLL_S)

    def deliver(self) -> dict[str, int]:
        """Deliver what is kept on this machine for the server, and wait until that is done, at most `longest_s`.

        Returns:
            How many records still wait, by run id.
        """
        deadline, pauses, told = time.monotonic() + self.longest_s, pauses_s(), False
        while not self._deliver():
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                break
            if not told:
                _log.warning("waiting for the tracking server %s, to deliver what is kept for it", self._shown)
            told = True
            time.sleep(min(next(pauses), left_s))
        return undelivered(self._folder)

    def _deliver(self) -> bool:
        with time_for_uploads() if self.longest_s > 0 else nullcontext():
            return deliver(self._folder, self._client)

    @property
    def folder(self) -> Path:
        """Where records are kept."""
        return self._folder

    @property
    def _shown(self) -> str:
        return str(without_passwords(self._uri))

    def _send(
        self,
        run_id: str,
        values: dict[str, Any],
        files: Path = Path(),
        keep: Callable[[Path], Any] | None = None,
    ) -> None:
        outbox = self._outbox(run_id)
        if outbox.first() is None:
            try:
                sending.send(self._client, run_id, values, files, "")
                return
            except Exception as error:
                self._check_away(error)
        self._keep(outbox, values, keep)

    def _check_away(self, error: Exception) -> None:
        if not is_away(error):
            raise error
        _log.warning(
            "the tracking server %s does not answer; what runs log is kept in %s until it does",
            *(self._shown, self._folder),
        )

    def _keep(self, outbox: Outbox, values: dict[str, Any], keep: Callable[[Path], Any] | None) -> None:
        outbox.append(values, keep)
        self._courier.wake()

    def _outbox(self, run_id: str) -> Outbox:
        return self._outboxes.setdefault(run_id, Outbox(self._folder / run_id))

"""One run in MLflow."""

import io
import json
import tempfile
import time
import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

import yaml
from mlflow import MlflowClient
from mlflow.entities import Dataset, Metric, Param, RunTag

from captcha_exp.config import Config, flatten, to_plain, without_passwords
from captcha_exp.errors import InputError
from captcha_exp.tracking.dataset_inputs import LoggedSplit, as_input, describe_splits
from captcha_exp.tracking.environment import describe_environment
from captcha_exp.tracking.keeping_client import KeepingClient
from captcha_exp.tracking.mlflow_text import metric_key, param_key, param_value, reason_of, storable
from captcha_exp.tracking.new_model import LATER, NewModel

if TYPE_CHECKING:
    import keras
    import numpy as np
    from matplotlib.figure import Figure

_MAX_PARAMS_PER_BATCH = 100
DESCRIPTION = "mlflow.note.content"  # the tag that MLflow shows as Markdown

Outcome = Literal["finished", "pruned", "failed"]
# What MLflow's table of runs shows. A pruned or paused run must not look like one that has a model.
_STATUS: dict[Outcome, str] = {"finished": "FINISHED", "pruned": "KILLED", "failed": "FAILED"}


class TrackedRun:
    """A run in the store.

    As a context manager it also ends the run. The outcome is `finished`, unless `set_outcome` chose another. After an
    exception it is `failed`, with the reason. Ctrl-C marks the run as killed.
    """

    def __init__(self, client: MlflowClient, run_id: str, *, is_new: bool = False) -> None:
        """Args:
        client: talks to the store.
        run_id: the run.
        is_new: whether the store certainly has nothing of the run yet, so that nothing must be read from there.
        """
        self.run_id = run_id
        self.is_new = is_new
        self._client = client
        self._params: set[str] | None = set() if is_new else None
        self._has_no_epochs = is_new
        self._outcome: Outcome = "finished"
        self._reason: str | None = None
        self._datasets: dict[str, Dataset] = {}
        self._model_id: str | None = None

    @property
    def store_uri(self) -> str:
        """The store that this run is in."""
        return str(self._client.tracking_uri)

    def log_config(self, config: Config) -> None:
        """Write the resolved configuration: all of it as `config.yaml`, and all but the group `sweep` as params."""
        plain = without_passwords(to_plain(config))
        # All trials of a sweep have the same `sweep.` keys. In the UI they would hide the keys that differ.
        self.log_params({key: value for key, value in flatten(plain).items() if not key.startswith("sweep.")})
        self.log_text(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True), "config.yaml")

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Write values as a user types them in overrides. Existing params stay, because MLflow cannot change them."""
        if self._params is None:
            self._params = set(self._client.get_run(self.run_id).data.params)
        flat = {param_key(name): param_value(value) for name, value in params.items()}
        batch = [Param(key, value) for key, value in flat.items() if key not in self._params]
        self._params |= set(flat)
        for start in range(0, len(batch), _MAX_PARAMS_PER_BATCH):
            self._client.log_batch(self.run_id, params=batch[start : start + _MAX_PARAMS_PER_BATCH])

    def log_environment(self) -> None:
        """Write versions, machine and source state as `environment.json`."""
        self.log_json(describe_environment(), "environment.json")

    def log_dataset(self, name: str, uri: str, fingerprint: str, splits: Mapping[str, LoggedSplit]) -> None:
        """Write the splits as MLflow dataset inputs, and the fingerprint as a tag.

        Args:
            name: name of the source, the first part of each input's name.
            uri: path or address of the source.
            fingerprint: hex digest of everything in the source.
            splits: by name (train, validation, test).
        """
        self._datasets = describe_splits(name, without_passwords(uri), fingerprint, splits)
        self._client.log_inputs(self.run_id, [as_input(split, dataset) for split, dataset in self._datasets.items()])
        self.set_tags({"dataset.fingerprint": fingerprint})

    def log_epoch(self, epoch: int, metrics: Mapping[str, float]) -> None:
        """Write all metrics of one epoch in one batch; `epoch` counts from 1."""
        self._has_no_epochs = False
        self._log_metrics(metrics, step=epoch)

    def metrics(self) -> dict[str, float]:
        """The latest value of each metric in the store."""
        return dict(self._client.get_run(self.run_id).data.metrics)

    def last_epoch(self, metric: str) -> int:
        """The last epoch that has `metric` in the store, or 0 if there is none."""
        if self._has_no_epochs:
            return 0
        return max((point.step for point in self._client.get_metric_history(self.run_id, metric)), default=0)

    def log_metrics(self, metrics: Mapping[str, float], split: str | None = None) -> None:
        """Write metrics of the whole run.

        Args:
            metrics: by name.
            split: the logged split of these metrics. They also belong to the logged model, if there is one.
        """
        self._log_metrics(metrics, step=0, dataset=self._datasets[split] if split else None)

    def describe(self, text: str) -> None:
        """Show `text`, in Markdown, at the top of the run's page. What it showed before is gone."""
        self.set_tags({DESCRIPTION: text})

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Write tags in one batch."""
        self._client.log_batch(self.run_id, tags=[RunTag(key, storable(value)) for key, value in tags.items()])

    def log_file(self, path: Path, folder: str | None = None) -> None:
        """Keep a copy of the file, in the folder `folder` of the run's artifacts."""
        self._client.log_artifact(self.run_id, str(path), folder)

    def log_text(self, text: str, name: str) -> None:
        """Keep `text` as an artifact. `name` may include folders."""
        self._log_bytes(text.encode("utf-8", "backslashreplace"), name)

    def log_json(self, value: Any, name: str) -> None:
        """Keep a plain value as an artifact."""
        self.log_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", name)

    def log_figure(self, figure: "Figure", name: str) -> None:
        """Keep a figure as an artifact, in the format of the name's suffix."""
        picture = io.BytesIO()  # if Pillow wrote to a full disk, its error would not name the cause
        figure.savefig(picture, format=name.rpartition(".")[2])
        self._log_bytes(picture.getvalue(), name)

    def tie_to_model(self, model_id: str) -> None:
        """Link the metrics of splits, from now on, to a model that is already in the store."""
        self._model_id = model_id

    def log_model(
        self,
        model: "keras.Model",
        metadata: Mapping[str, Any],
        example_shape: tuple[int, ...],
        training_images: "np.ndarray | None" = None,
        validation_images: "np.ndarray | None" = None,
    ) -> str:
        """Keep a model with its signature, pinned requirements and metadata.

        Args:
            model: stock layers only, float32 `(B, *example_shape)` in, `(B, T, K)` out.
            metadata: plain values that describe the model's input and output.
            example_shape: shape of one input, without the batch.
            training_images: uint64, one digest per training image.
            validation_images: uint64, one digest per image that chose the epoch.

        Returns:
            The model's address, `models:/m-...`. If the server is away, the address is made up.
        """
        new = NewModel(self.run_id, model, metadata, example_shape, training_images, validation_images)
        if isinstance(self._client, KeepingClient):
            self._model_id = self._client.log_model(self.run_id, new.log, new.save_for_later) or LATER
        else:
            self._model_id = new.log(self._client)
        return f"models:/{self._model_id}"

    def set_outcome(self, outcome: Outcome, reason: str | None = None) -> None:
        """Set the outcome that `end` will write."""
        self._outcome, self._reason = outcome, reason

    def end(self) -> None:
        """Write the outcome and end the run."""
        tags = {"outcome": str(self._outcome)}
        if self._reason:
            tags["reason"] = self._reason
        self.set_tags(tags)
        self._client.set_terminated(self.run_id, _STATUS[self._outcome])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.end()
            return
        # If the store fails too, its error must not hide the first error.
        with suppress(Exception):
            self._end_with(error)

    def _end_with(self, error: BaseException) -> None:
        if not isinstance(error, Exception):
            self.set_tags({"reason": "interrupted"})
            self._client.set_terminated(self.run_id, "KILLED")
            return
        self.set_outcome("failed", reason_of(error))
        self.end()
        if not isinstance(error, InputError):
            self.log_text(without_passwords("".join(traceback.format_exception(error))), "traceback.txt")

    def _log_metrics(self, metrics: Mapping[str, float], step: int, dataset: Dataset | None = None) -> None:
        now_ms = int(time.time() * 1000)
        tie: dict[str, str | None] = {}
        if dataset is not None:
            tie = {"dataset_name": dataset.name, "dataset_digest": dataset.digest}
            tie |= {"run_id": self.run_id, "model_id": self._model_id}
        batch = [Metric(metric_key(key), float(value), now_ms, step, **tie) for key, value in metrics.items()]
        self._client.log_batch(self.run_id, metrics=batch)

    def _log_bytes(self, data: bytes, name: str) -> None:
        folder, _, file_name = name.rpartition("/")
        with tempfile.TemporaryDirectory() as temporary:
            path = Path(temporary) / file_name
            path.write_bytes(data)
            self.log_file(path, folder or None)

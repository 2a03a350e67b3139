"""The parent run of a sweep in MLflow. A process that resumes or joins the sweep finds it again."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Self

from mlflow.entities import Run, RunStatus
from mlflow.exceptions import MlflowException

from captcha_exp.config import SweepConfig, flatten, to_plain
from captcha_exp.tracking.keeping_store import deliver_all
from captcha_exp.tracking.mlflow_text import param_key, quoted
from captcha_exp.tracking.saved_view import SavedView, view_name
from captcha_exp.tracking.store import Store
from captcha_exp.tracking.tracked_run import TrackedRun

_KIND = "sweep"
_HOW_IT_SEARCHES = (
    *("sweep.space.", "sweep.sampler.", "sweep.pruner.", "sweep.objectives", "sweep.constraints"),
    *("sweep.repeats", "sweep.repeat_over", "sweep.warm_start"),
)
_WORTH_KEEPING = {".csv", ".yaml", ".json", ".png", ".html", ".md", ".txt"}


class SweepRun:
    """The parent run of a sweep's trials."""

    def __init__(self, store: Store, run_id: str) -> None:
        self.run_id = run_id
        self._store = store
        self._run = TrackedRun(store.client, run_id)
        self._view: str | None = None

    @classmethod
    def start_or_resume(cls, store: Store, sweep_name: str, study_key: str, tags: Mapping[str, str]) -> Self:
        """The parent run of this study. It is made if it does not exist.

        Args:
            store: where the sweep's runs are kept.
            sweep_name: name of the run.
            study_key: distinguishes studies of the same name; all supervisors of one study have the same key.
            tags: further tags for a new run.
        """
        with store.locked():
            found = _parents(store, sweep_name, study_key)
            if not found:
                own = {**tags, "sweep": sweep_name, "study": study_key, "kind": _KIND}
                store.start_run(sweep_name, own)
                # If two supervisors came in at once, both see both runs, and both take the older one.
                found = _parents(store, sweep_name, study_key)
            for spare in filter(_is_open, found[1:]):
                store.client.set_terminated(spare.info.run_id, "KILLED")
        store.client.update_run(found[0].info.run_id, status="RUNNING")
        return cls(store, found[0].info.run_id)

    def log_summary(self, metrics: Mapping[str, float] | None = None, tags: Mapping[str, str] | None = None) -> None:
        """Write the best metrics, and tags that summarise the sweep."""
        if metrics:
            self._run.log_metrics(metrics)
        if tags:
            self._run.set_tags(tags)

    def log_search(self, sweep: SweepConfig, log_inputs: Callable[[TrackedRun], None] | None) -> None:
        """Write how the sweep searches as params, and its dataset as the run's input, unless the run has them.

        Args:
            sweep: its settings. What may change from one start to the next, like `n_trials`, is left out.
            log_inputs: writes the dataset; None if the trials have several.
        """
        plain = flatten({"sweep": to_plain(sweep)})
        self._run.log_params({key: value for key, value in plain.items() if key.startswith(_HOW_IT_SEARCHES)})
        inputs = self._store.client.get_run(self.run_id).inputs
        if log_inputs is not None and not (inputs and inputs.dataset_inputs):
            log_inputs(self._run)

    def describe(self, text: str) -> None:
        """Show `text`, in Markdown, at the top of the run's page."""
        self._write_shared(lambda: self._run.describe(text))

    def offer_view(self, sweep_name: str, objective: str, keys: Sequence[str], *, maximize: bool) -> str:
        """Save a view in the UI that compares the trials of a sweep by their searched values and results.

        Args:
            sweep_name: name of the sweep.
            objective: the metric to sort by.
            keys: the searched keys.
            maximize: whether a higher objective is better.

        Returns:
            The part of the view's address after the address of the server.
        """
        metrics = dict.fromkeys([objective, "best/val/character_error_rate", "model/parameters", "seconds/fit"])
        columns = [_column("metrics", name) for name in metrics] + [_column("params", param_key(key)) for key in keys]
        view = SavedView(
            name=view_name(sweep_name),
            condition=f"tags.sweep = {quoted(sweep_name)} and tags.trial != ''",
            columns=[*columns, _column("tags", "outcome"), _column("tags", "reason")],
            order_by=_column("metrics", objective),
            ascending=not maximize,
        )
        name, value = view.tag()
        self._write_shared(lambda: self._store.client.set_experiment_tag(self._store.experiment_id, name, value))
        self._view = f"/#/experiments/{self._store.experiment_id}/runs?viewStateShareKey={view.key}"
        return self._view

    def _write_shared(self, write: Callable[[], None]) -> None:
        """Write a tag that another supervisor of the same sweep may write at the same moment."""
        with self._store.locked():
            try:
                write()
            except MlflowException:
                write()  # if two add a tag at once, the server's database refuses the second; now the tag exists

    def log_files(self, paths: Iterable[Path]) -> None:
        """Keep tables, pictures and configurations. Databases and folders in `paths` are skipped."""
        for path in sorted(paths):
            if path.is_file() and path.suffix in _WORTH_KEEPING:
                self._run.log_file(path)

    def mark_infeasible(self, reasons: Mapping[str, str]) -> None:
        """Tag finished runs, by id, with the reason why they are no results. So nothing promotes them."""
        for run_id, reason in reasons.items():
            if self._store.find_run(run_id) is not None:  # the user may have deleted it
                self._store.client.set_tag(run_id, "outcome", "infeasible")
                self._store.client.set_tag(run_id, "reason", reason)

    def close_orphans(self, running: Collection[str]) -> list[str]:
        """End the children that dead workers left open.

        Args:
            running: names of the trials that are really running, like `trial-0007`.

        Returns:
            Names of the runs that were ended.
        """
        closed = []
        for child in self._store.children(self.run_id):
            if _is_open(child) and child.info.run_name not in running:
                closed += self._close(child)
        return closed

    def _close(self, run: Run) -> list[str]:
        """End an open run, and the open runs below it."""
        orphan = TrackedRun(self._store.client, run.info.run_id)
        orphan.set_outcome("failed", "the worker died")
        orphan.end()
        below = [child for child in self._store.children(run.info.run_id) if _is_open(child)]
        return [str(run.info.run_name), *(name for child in below for name in self._close(child))]

    def deliver(self, *, wait: bool) -> str | None:
        """Deliver what this machine kept for a server that was away.

        Args:
            wait: whether to wait for the server. Without, no later call waits either.

        Returns:
            What could not be delivered and how to deliver it; None if nothing is left.
        """
        return deliver_all(self._store, wait=wait)

    def end(self, *, interrupted: bool = False) -> None:
        """End the parent run. If the user types the same sweep again, the run is opened again."""
        self._store.client.set_terminated(self.run_id, "KILLED" if interrupted else "FINISHED")

    @property
    def ui_hint(self) -> str:
        """One line that says how to look at the sweep."""
        return self._store.ui_hint(self.run_id) if self._view is None else self._store.page_hint(self._view)


def _parents(store: Store, sweep_name: str, study_key: str) -> list[Run]:
    # Names are compared here because MLflow's conditions cannot express every name.
    wanted = (sweep_name, study_key)
    return [run for run in store.search(f"tags.kind = '{_KIND}'") if _identity(run) == wanted]


def _identity(run: Run) -> tuple[str | None, str | None]:
    return run.data.tags.get("sweep"), run.data.tags.get("study")


def _column(kind: str, name: str) -> str:
    return f"{kind}.`{name}`"


def _is_open(run: Run) -> bool:
    return run.info.status in {RunStatus.to_string(status) for status in (RunStatus.RUNNING, RunStatus.SCHEDULED)}

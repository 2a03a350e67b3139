"""Measure what a sweep itself costs, with trials that cost nothing: by workers, and by trials in the study.

Run: python -m benchmarks.scale [--json FILE] [--picture FILE]
"""

import argparse
import gc
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

import optuna
import sqlalchemy as sa
from optuna.samplers import RandomSampler
from optuna.storages._rdb import models
from optuna.trial import TrialState

from benchmarks.postgres_server import Server
from benchmarks.quick_sweep import KEY, QuickJob, fork, quick_plan, quick_value, supervise
from captcha_exp.figures.figure_style import BLUE, ORANGE, new_figure, plain_axes
from captcha_exp.sweep import Worker, WorkerOrder
from captcha_exp.sweep.known_trials import informed
from captcha_exp.sweep.plan import SweepPlan
from captcha_exp.sweep.storage import quiet_optuna
from captcha_exp.sweep.study import OpenStudy, definition, open_study
from captcha_exp.sweep.study_facts import read_sweep
from captcha_exp.sweep.tally import Tally

_EPOCHS = 9
_STEPS = 4  # of one worker, in a study that has many trials; the first reads all of them
_PAUSED_SHARE = 0.6


@dataclass(frozen=True)
class Throughput:
    """A whole sweep of trials that cost nothing."""

    database: str
    workers: int
    trials: int
    trials_per_second: float
    processor_seconds_per_trial: float


@dataclass(frozen=True)
class Step:
    """A worker's step in a study with `trials` trials, most of them paused: median of the steps after the first."""

    database: str
    trials: int
    first_locked_s: float
    locked_s: float
    locked_processor_s: float
    statements: int
    idle_processor_s: float
    read_s: float


def throughput(database: str, url: str | None, workers: int, trials: int, folder: Path) -> Throughput:
    """Run a sweep of so many trials and workers, from the first trial's start to the last one's end."""
    name, printed = f"w{workers}", folder / f"printed-{workers}"
    # It forks, so it must not be forked from a process that has a database open, or threads.
    process = multiprocessing.get_context("spawn").Process(
        target=_supervised, args=(folder, url, workers, trials, printed)
    )
    process.start()
    process.join()
    if process.exitcode:
        raise RuntimeError(printed.read_text())
    study = optuna.load_study(study_name=name, storage=url or f"sqlite:///{folder / 'sweeps' / name}/study.db")
    ended = [trial for trial in study.get_trials(deepcopy=False) if trial.datetime_start and trial.datetime_complete]
    begin = min(trial.datetime_start for trial in ended if trial.datetime_start)
    end = max(trial.datetime_complete for trial in ended if trial.datetime_complete)
    seconds = (end - begin).total_seconds()
    used = float((folder / f"used-{workers}").read_text())
    return Throughput(database, workers, trials, trials / seconds, used / trials)


def _supervised(folder: Path, url: str | None, workers: int, trials: int, printed: Path) -> None:
    """Run the sweep, and write down the processor seconds of all its processes."""
    plan = _plan(folder, url, f"w{workers}", trials, workers)
    pid = fork(lambda: supervise(QuickJob(plan), "host"), printed)
    _, status, used = os.wait4(pid, 0)
    (folder / f"used-{workers}").write_text(str(used.ru_utime + used.ru_stime))
    sys.exit(os.waitstatus_to_exitcode(status))


def step(database: str, url: str | None, trials: int, folder: Path) -> Step:
    """Let a worker begin some trials in a study that has `trials` already, and look at its lock."""
    plan = _plan(folder, url, f"n{trials}", 2 * trials + 100, 1)
    opened = open_study(plan.config, RandomSampler(), definition(plan.config, plan.space, {}), ())
    _fill(opened, trials)
    worker = Worker(plan, WorkerOrder(0, None, 0), QuickJob(plan))
    worker._opened = open_study(plan.config, worker._sampler)
    worker._opened.study.sampler = informed(worker._sampler, [], plan.space, plan.config.sweep)
    gc.freeze()  # Optuna collects garbage after each trial, and would look at all that was imported
    with _watched(worker._opened) as holds:
        for _ in range(_STEPS):
            worker._turn()
    began = time.process_time()
    Tally(worker._opened.study.get_trials(deepcopy=False)).free_slots(0)
    idle = time.process_time() - began
    began = time.perf_counter()
    read_sweep(folder, f"n{trials}", url)
    read = time.perf_counter() - began
    locked, processor, statements = map(_median, zip(*holds[1:], strict=True))
    return Step(database, trials, holds[0][0], locked, processor, round(statements), idle, read)


@contextmanager
def _watched(opened: OpenStudy) -> Iterator[list[tuple[float, ...]]]:
    """Of each hold of the lock the seconds, the processor seconds, and the statements of the worker's connections."""
    holds, lock, statements = list[tuple[float, ...]](), opened.lock, [0]
    acquire, release = lock.acquire, lock.release

    def now() -> tuple[float, ...]:
        return time.perf_counter(), time.process_time(), statements[0]

    def begin(give_up: Callable[[], bool] = lambda: False) -> bool:
        taken = acquire(give_up)
        holds.append(now())
        return taken

    def end() -> None:
        if lock.held:
            holds[-1] = tuple(end - begin for end, begin in zip(now(), holds[-1], strict=True))
        release()

    def executed(*_: object) -> None:
        statements[0] += 1

    sa.event.listen(opened.storage.engine, "before_cursor_execute", executed)
    lock.acquire, lock.release = begin, end  # type: ignore[method-assign]
    yield holds


def _fill(opened: OpenStudy, count: int) -> None:
    """Write trials into the tables at once; to make them by Optuna would take minutes."""
    study_id, space = opened.study._study_id, optuna.distributions.FloatDistribution(0, 0.4)
    described, now = optuna.distributions.distribution_to_json(space), datetime(2026, 1, 1)
    tables: dict[type[models.BaseModel], list[dict[str, object]]] = {}
    with opened.storage.engine.begin() as connection:
        first = (connection.execute(sa.select(sa.func.max(models.TrialModel.trial_id))).scalar() or 0) + 1
        for number in range(count):
            paused, key, dropout = number % 10 < 10 * _PAUSED_SHARE, first + number, 0.4 * number / count
            state = TrialState.WAITING if paused else TrialState.COMPLETE
            began = now + timedelta(seconds=number)
            ended = None if paused else began + timedelta(seconds=1)
            own: dict[str, object] = {"trial_id": key}
            times = {"datetime_start": began, "datetime_complete": ended}
            trial = {**own, "number": number, "study_id": study_id, "state": state, **times}
            tables.setdefault(models.TrialModel, []).append(trial)
            param = {"param_name": KEY, "param_value": dropout, "distribution_json": described}
            tables.setdefault(models.TrialParamModel, []).append({**own, **param})
            noted = {"key": "run_id", "value_json": '"run"'}
            tables.setdefault(models.TrialUserAttributeModel, []).append({**own, **noted})
            for epoch in range(2 if paused else _EPOCHS):
                seen = {"step": epoch, "intermediate_value": quick_value(dropout, epoch + 1)}
                kind = {"intermediate_value_type": models.TrialIntermediateValueModel.TrialIntermediateValueType.FINITE}
                tables.setdefault(models.TrialIntermediateValueModel, []).append({**own, **seen, **kind})
            if not paused:
                value = {"objective": 0, "value": quick_value(dropout, _EPOCHS)}
                finite = {"value_type": models.TrialValueModel.TrialValueType.FINITE}
                tables.setdefault(models.TrialValueModel, []).append({**own, **value, **finite})
        for model, rows in tables.items():
            connection.execute(sa.insert(model.__table__), rows)
        if opened.storage.engine.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT setval('trials_trial_id_seq', (SELECT max(trial_id) FROM trials))"))


def _plan(folder: Path, url: str | None, name: str, trials: int, workers: int) -> SweepPlan:
    sizes = [f"sweep.n_trials={trials}", f"sweep.workers={workers}", f"training.epochs={_EPOCHS}"]
    where = [f"sweep.storage={url}"] if url is not None else []
    return quick_plan(folder, f"sweep.name={name}", "sweep.first=[]", *sizes, *where)


def _median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


def table(rows: list[Throughput] | list[Step]) -> str:
    """The rows in Markdown."""
    heads = list(asdict(rows[0]))
    lines = [" | ".join(heads), " | ".join("---" for _ in heads)]
    cells = ([f"{v:.3g}" if isinstance(v, float) else str(v) for v in asdict(row).values()] for row in rows)
    return "\n".join(f"| {line} |" for line in [*lines, *(" | ".join(row) for row in cells)])


def draw(throughputs: list[Throughput], steps: list[Step], file: Path) -> None:
    """One picture: trials a second by workers, and seconds under the lock by trials."""
    figure = new_figure(9, 3.4)
    left, right = figure.subplots(1, 2)
    for database, colour in (("SQLite", BLUE), ("PostgreSQL", ORANGE)):
        many = [one for one in throughputs if one.database == database]
        left.plot([t.workers for t in many], [t.trials_per_second for t in many], "o-", color=colour, label=database)
        known = [one for one in steps if one.database == database]
        right.plot([s.trials for s in known], [s.locked_s for s in known], "o-", color=colour, label=database)
    for axes, title, below, marks in (
        (left, "trials a second", "workers", sorted({one.workers for one in throughputs})),
        (right, "seconds a step holds the lock", "trials in the study", sorted({one.trials for one in steps})),
    ):
        plain_axes(axes, title)
        axes.set_xscale("log")
        axes.set_xticks(marks, map(str, marks), minor=False)
        axes.minorticks_off()
        axes.set_xlabel(below)
        axes.legend(frameon=False)
    left.set_ylim(bottom=0)
    right.set_ylim(bottom=0)
    figure.tight_layout()
    figure.savefig(file)


def main() -> int:
    """Measure on SQLite and PostgreSQL, and print two tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 4, 16, 64])
    parser.add_argument("--trials", type=int, nargs="*", default=[10, 100, 1000, 10000])
    parser.add_argument("--trials-per-worker", type=int, default=10)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    quiet_optuna()
    throughputs, steps = [], []
    with tempfile.TemporaryDirectory(prefix="pg") as name, tempfile.TemporaryDirectory(prefix="scale-") as place:
        server = Server(Path(name))
        server.start()
        for database, url in (("SQLite", None), ("PostgreSQL", server.url)):
            folder = Path(place, database)
            folder.mkdir()
            for trials in options.trials:
                steps.append(step(database, url, trials, folder))
                print(steps[-1], file=sys.stderr, flush=True)
            for workers in options.workers:
                trials = options.trials_per_worker * max(4, workers)
                throughputs.append(throughput(database, url, workers, trials, folder))
                print(throughputs[-1], file=sys.stderr, flush=True)
        server.stop()
    print(f"{table(throughputs)}\n\n{table(steps)}" if throughputs else table(steps))
    if options.json is not None:
        measured = {"throughput": [asdict(one) for one in throughputs], "steps": [asdict(one) for one in steps]}
        options.json.write_text(json.dumps(measured, indent=1))
    if options.picture is not None:
        draw(throughputs, steps, options.picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())

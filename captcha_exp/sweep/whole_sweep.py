"""Run a sweep from its plan to its results."""

import shlex
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from optuna.samplers import RandomSampler
from rich.console import Console
from rich.table import Column, Table

from captcha_exp.config import Direction
from captcha_exp.errors import FullDiskError
from captcha_exp.sweep.job_trial import trial_name
from captcha_exp.sweep.live_table import cell, tell
from captcha_exp.sweep.live_view import View, best_trials, duration, shown_value, shown_values
from captcha_exp.sweep.plan import SweepPlan, check_space
from captcha_exp.sweep.storage import quiet_optuna, shown
from captcha_exp.sweep.study import N_TRIALS, PARENT_RUN, QUESTION, OpenStudy, definition, open_study
from captcha_exp.sweep.supervisor import Supervisor, SweepFailedError
from captcha_exp.sweep.sweep_store import SweepRecord
from captcha_exp.sweep.sweep_tables import counts, description, train_command, write_tables
from captcha_exp.sweep.tally import Tally
from captcha_exp.terminal import complain

EXIT_FAILED = 1
_SIGNAL_EXIT = 128
_SHOWN_TRIALS = 5
_BEGINNING = 100
_FILE_WIDTH = 200  # lines in a file need not be wrapped

OpenRecord = Callable[[str], SweepRecord | None]
WriteReport = Callable[[], Path | None]


def run_sweep(plan: SweepPlan, data: dict[str, str], open_record: OpenRecord, write_report: WriteReport) -> int:
    """Start or resume a sweep, wait for its end, and write its results.

    Args:
        plan: the sweep.
        data: what identifies the data of this sweep, by the name that an error message shows.
        open_record: takes the study's key and returns the sweep's run; None if no store keeps the sweep.
        write_report: is called after the results are written; returns the report's page, or None.

    Returns:
        The exit code: 0 if a trial finished, 1 if none did, 130 or 143 after a signal.

    Raises:
        InputError: the study was made for another search, or its database cannot be used.
        FullDiskError: there is no room to go on; the results so far stay.
    """
    quiet_optuna()
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_FILE_WIDTH)
    check_space(plan)
    opened = open_study(plan.config, RandomSampler(), definition(plan.config, plan.space, data))
    # For readers who open the study later without this configuration.
    opened.study.set_user_attr(QUESTION, plan.config.sweep.question)
    opened.study.set_user_attr(N_TRIALS, plan.n_trials)
    record = open_record(opened.key)
    if record is not None:
        opened.study.set_user_attr(PARENT_RUN, record.run_id)
        _introduce(plan, opened, record)
    ending = _Ending(plan, opened, record, console, write_report)
    with View(plan, console) as view:
        view.say(_opening(plan, opened))
        supervisor = Supervisor(plan, opened, view)
        try:
            stopped_by = supervisor.run()
        except SweepFailedError as error:
            return ending.failed(error)
        except FullDiskError:
            with suppress(Exception):  # the error that matters is already known
                ending.close(interrupted=True)
            raise
    return ending.stopped(stopped_by) if stopped_by is not None else ending.complete()


def _opening(plan: SweepPlan, opened: OpenStudy) -> str:
    tally = Tally(opened.study.get_trials(deepcopy=False))
    resumed = f", {len(tally.ended)} of them ended before" if tally.trials else ""
    workers = plan.config.sweep.workers
    return (
        f"sweep {plan.name}: {plan.n_trials} trials{resumed}; {workers} worker{'s' if workers > 1 else ''}, "
        f"study {shown(opened.url)}, logs {plan.folder}/worker-*.log"
    )


def _introduce(plan: SweepPlan, opened: OpenStudy, record: SweepRecord) -> None:
    """Describe the search in the record, so that users can look at a running sweep."""
    objective, keys = plan.config.sweep.objectives[0], [parameter.key for parameter in plan.space.parameters]
    maximize = objective.direction is Direction.maximize
    view = record.offer_view(plan.name, objective.metric, keys, maximize=maximize)
    record.describe(description(plan, Tally(opened.study.get_trials(deepcopy=False)), view))


class _Ending:
    """Writes and prints the results after the workers have ended."""

    def __init__(
        self,
        plan: SweepPlan,
        opened: OpenStudy,
        record: SweepRecord | None,
        console: Console,
        write_report: WriteReport,
    ) -> None:
        self._plan, self._opened, self._record, self._console = plan, opened, record, console
        self._write_report = write_report

    def failed(self, failure: SweepFailedError) -> int:
        self.close(interrupted=False)
        complain(
            f"error: sweep {self._plan.name} stopped: {failure}. Repair it and type the command again, or remove "
            f"{self._plan.folder} to begin anew."
        )
        return EXIT_FAILED

    def stopped(self, signal_number: int) -> int:
        tally = self.close(interrupted=True)
        command = shlex.join(["python", *sys.orig_argv[1:]])
        self._say(f"sweep {self._plan.name} interrupted: {len(tally.ended)} of {self._plan.n_trials} trials ended.")
        self._say(f"Go on with it: {command}")
        return _SIGNAL_EXIT + signal_number

    def complete(self) -> int:
        tally = Tally(self._opened.study.get_trials(deepcopy=False))
        objectives = self._plan.config.sweep.objectives
        files = write_tables(self._plan, tally)
        if self._record is not None:
            self._record.log_files(files)
            best = best_trials(tally, objectives)
            if best:
                values = zip(objectives, best[0].values, strict=True)
                tags = {f"best.{key}": shown_value(value) for key, value in best[0].params.items()}
                self._record.log_summary(
                    {o.metric: value for o, value in values}, {"best.trial": trial_name(best[0].number), **tags}
                )
        self.close(interrupted=False)
        return self._show(tally)

    def close(self, *, interrupted: bool) -> Tally:
        """Close the runs that dead workers left open, then the record itself."""
        tally = Tally(self._opened.study.get_trials(deepcopy=False))
        if self._record is not None:
            _introduce(self._plan, self._opened, self._record)
            # Another supervisor may start more trials while this process looks through the store.
            new = range(len(tally.trials), len(tally.trials) + _BEGINNING)
            numbers = [*(trial.number for trial in tally.running), *new]
            self._record.close_orphans([trial_name(number) for number in numbers])
            self._record.end(interrupted=interrupted)
        return tally

    def _show(self, tally: Tally) -> int:
        plan, objectives = self._plan, self._plan.config.sweep.objectives
        best = best_trials(tally, objectives)
        self._say(f"sweep {plan.name} ended: {counts(tally)}.")
        if not best:
            self._say(
                f"No trial finished, so there is no best configuration. See {plan.folder}/trials.csv; loosen "
                "`sweep.pruner` or change `sweep.space` under another `sweep.name`."
            )
            return EXIT_FAILED
        columns = [Column(cell(o.metric)) for o in objectives]
        table = Table("trial", *columns, "time", "parameters", box=None, pad_edge=False)
        chosen = best if len(objectives) == 1 else self._opened.study.best_trials
        for trial in chosen[:_SHOWN_TRIALS]:
            params = " ".join(f"{key}={shown_value(value)}" for key, value in trial.params.items())
            took = duration(trial.duration.total_seconds()) if trial.duration is not None else ""
            table.add_row(str(trial.number), *[f"{value:.6g}" for value in trial.values], took, cell(params))
        self._console.print(table)
        overrides = " ".join(plan.space.overrides(best[0].params))
        self._say(f"best: trial {best[0].number}, {shown_values(best[0], objectives)}: {overrides}")
        self._say(f"train it again: {train_command(plan.folder)}")
        self._say(f"results:        {_short(plan.folder)}/trials.csv, best.yaml")
        page = self._write_report()
        if page is not None:
            self._say(f"report:         {_short(page)}")
        if self._record is not None:
            self._say(f"in the UI:      {self._record.ui_hint}")
        return 0

    def _say(self, line: str) -> None:
        tell(self._console, line)


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path

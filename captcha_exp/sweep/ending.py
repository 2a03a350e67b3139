"""Writes and shows the results of a sweep after its workers have ended."""

from collections.abc import Callable
from pathlib import Path

from optuna.trial import FrozenTrial
from rich.console import Console
from rich.table import Column, Table

from captcha_exp.errors import StoreAwayError
from captcha_exp.files import replacing
from captcha_exp.sweep.absent_database import once_it_answers
from captcha_exp.sweep.failures import has_faults, told_failures
from captcha_exp.sweep.introduction import introduce
from captcha_exp.sweep.job_trial import trial_name
from captcha_exp.sweep.known_trials import known_trials
from captcha_exp.sweep.limits import nearest
from captcha_exp.sweep.live_page import WriteReport
from captcha_exp.sweep.live_table import cell, tell
from captcha_exp.sweep.live_view import best_so_far, best_trials, duration, shown_value, shown_values
from captcha_exp.sweep.next_search import NEXT_SEARCH, next_search, typed_command
from captcha_exp.sweep.on_end import end_message, tell_end
from captcha_exp.sweep.paused_checkpoints import remove_checkpoints
from captcha_exp.sweep.plan import SweepPlan
from captcha_exp.sweep.storage import RUN_ID
from captcha_exp.sweep.study import END, OpenStudy
from captcha_exp.sweep.supervisor import SweepFailedError
from captcha_exp.sweep.sweep_store import SweepRecord
from captcha_exp.sweep.sweep_tables import counts, train_command, write_tables
from captcha_exp.sweep.tally import Tally, TrialOutcome, epochs_run, progress, seconds_run
from captcha_exp.sweep.time_left import planned_epochs
from captcha_exp.sweep.unread import told_unread
from captcha_exp.terminal import complain

EXIT_FAILED = 1
EXIT_FAULTS = 3
EXIT_UNDELIVERED = 4
_SIGNAL_EXIT = 128
_SHOWN_TRIALS = 5
_ALL = "all trials ended"
_BEGINNING = 100


class Ending:
    """The end of a sweep, whichever it is. Each method but `close` returns the exit code."""

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
        """The search cannot go on."""
        left = self._in_store(lambda: self.close(interrupted=False), wait=False)
        tally = self._opened.tally()
        complain(
            f"error: sweep {self._plan.name} stopped: {failure}. Repair it and type the command again, or remove "
            f"{self._plan.folder} to begin anew."
        )
        self._tell_user(tally, f"stopped: {failure}")
        self._tell_left(left)
        return EXIT_FAILED

    def stopped(self, signal_number: int) -> int:
        """A signal has ended the search."""
        left = self._in_store(lambda: self.close(interrupted=True), wait=False)
        tally = self._opened.tally()
        self._tell_left(left)
        self._say(f"sweep {self._plan.name} interrupted: {len(tally.ended)} of {self._plan.n_trials} trials ended.")
        self._say(f"Go on with it: {typed_command()}")
        return _SIGNAL_EXIT + signal_number

    def complete(self, end: str | None) -> int:
        """Write, log and show the results. `end` is why the search ended before its last trial, if it did."""
        once_it_answers(lambda: self._opened.study.set_user_attr(END, end))
        tally = self._opened.tally()
        left = self._in_store(lambda: self._record_results(tally, end), wait=True)
        code = self._show(tally, end, in_store=left is None)
        self._tell_user(tally, end or _ALL)
        failures = told_failures(tally)
        if failures is not None:
            self._say(f"{failures}.")
        self._tell_left(left)
        if left is not None:
            return EXIT_UNDELIVERED
        return EXIT_FAULTS if code == 0 and has_faults(tally) else code

    def _record_results(self, tally: Tally, end: str | None) -> None:
        objectives = self._plan.config.sweep.objectives
        study, sources = self._opened.study, self._plan.config.sweep.warm_start
        known = once_it_answers(lambda: known_trials(study, sources))
        files = write_tables(self._plan, tally, known)
        if self._record is not None:
            self._record.log_files(files)
            best = best_trials(tally, objectives)
            if best:
                values = zip(objectives, best[0].values, strict=True)
                tags = {f"best.{key}": shown_value(value) for key, value in best[0].params.items()}
                self._record.log_summary(
                    {o.metric: value for o, value in values},
                    {"best.trial": trial_name(best[0].number), "end": end or _ALL, **tags},
                )
        self.close(interrupted=False)

    def _in_store(self, write: Callable[[], object], *, wait: bool) -> str | None:
        """Deliver what waits for the store, write more there, and deliver that. Returns what is left, in one line."""
        if self._record is None:
            write()
            return None
        try:
            left = self._record.deliver(wait=wait)
            if left is not None:
                return left
            write()
            return self._record.deliver(wait=wait)
        except StoreAwayError as error:
            return str(error)

    def _tell_left(self, left: str | None) -> None:
        if left is not None:
            complain(f"error: sweep {self._plan.name}: {left}")

    def _tell_user(self, tally: Tally, reason: str) -> None:
        sweep = self._plan.config.sweep
        if sweep.on_end is not None:
            best = best_trials(tally, sweep.objectives)
            message = end_message(self._plan.name, reason, best[0] if best else None, sweep.objectives)
            tell_end(sweep.on_end, message)

    def close(self, *, interrupted: bool) -> None:
        """Close the runs that dead workers left open, then the record itself."""
        tally = self._opened.tally()
        if self._record is not None:
            introduce(self._plan, self._opened, self._record)
            # Another supervisor may start more trials while this process looks through the store.
            new = range(len(tally.trials), len(tally.trials) + _BEGINNING)
            numbers = [*(trial.number for trial in tally.running), *new]
            self._record.close_orphans([trial_name(number) for number in numbers])
            infeasible = [trial for trial in tally.of(TrialOutcome.infeasible) if RUN_ID in trial.user_attrs]
            self._record.mark_infeasible({str(t.user_attrs[RUN_ID]): str(tally.reason(t)) for t in infeasible})
            self._record.end(interrupted=interrupted)
        remove_checkpoints(tally.ended, self._plan.config.checkpoints_path)

    def _show(self, tally: Tally, end: str | None, *, in_store: bool) -> int:
        plan, objectives = self._plan, self._plan.config.sweep.objectives
        best = best_trials(tally, objectives)
        self._say(f"sweep {plan.name} ended: {counts(tally)}{f'; {end}' if end else ''}.")
        if not best:
            self._tell_no_best(tally)
            return EXIT_FAILED
        columns = [Column(cell(o.metric)) for o in objectives]
        table = Table("trial", *columns, "time", "parameters", box=None, pad_edge=False)
        chosen = best if len(objectives) == 1 else once_it_answers(lambda: self._opened.study.best_trials)
        for trial in chosen[:_SHOWN_TRIALS]:
            params = " ".join(f"{key}={shown_value(value)}" for key, value in trial.params.items())
            values = [f"{value:.6g}" for value in trial.values]
            table.add_row(str(trial.number), *values, duration(seconds_run(trial)), cell(params))
        self._console.print(table)
        unread = told_unread(tally, objectives)
        if unread is not None:
            self._say(f"{unread}.")
        else:
            overrides = " ".join(plan.space.overrides(best[0].params))
            self._say(f"best: trial {best[0].number}, {shown_values(best[0], objectives)}: {overrides}")
            self._say(f"train it again: {train_command(plan.folder)}")
            self._tell_next(tally)
        self._say(f"results:        {_short(plan.folder)}/trials.csv, best.yaml")
        # it shows what the store has
        page = once_it_answers(lambda: self._write_report(None)) if in_store else None
        if page is not None:
            self._say(f"report:         {_short(page)}")
        if self._record is not None:
            self._say(f"in the UI:      {self._record.ui_hint}")
        return 0

    def _tell_no_best(self, tally: Tally) -> None:
        """Why there is no best configuration, and what to do."""
        if tally.of(TrialOutcome.paused, TrialOutcome.waiting):
            self._tell_unfinished(tally)
        elif infeasible := tally.of(TrialOutcome.infeasible):
            least = nearest(infeasible)
            self._say(
                "No trial keeps to sweep.constraints, so there is no best configuration. The nearest is trial "
                f"{least.number}: {tally.reason(least)}. Loosen them, or change `sweep.space`, under another "
                "`sweep.name`."
            )
        else:
            self._say(
                f"No trial finished, so there is no best configuration. See {self._plan.folder}/trials.csv; loosen "
                "`sweep.pruner` or change `sweep.space` under another `sweep.name`."
            )

    def _tell_unfinished(self, tally: Tally) -> None:
        """No trial has finished, but some can go on."""
        so_far = best_so_far(tally, self._plan.config.sweep.objectives[0])
        if so_far is not None:
            self._say(f"best so far, {told_paused(so_far, self._plan)}")
        self._say(f"No trial has run all its epochs yet, so there is no best.yaml. Go on with it: {typed_command()}")

    def _tell_next(self, tally: Tally) -> None:
        """Say which keys a next search could fix, and keep that for the report."""
        file, found = self._plan.folder / NEXT_SEARCH, next_search(self._plan, tally)
        if found is None:
            file.unlink(missing_ok=True)
            return
        keys, command = found
        with replacing(file) as written:
            written.write(f"{command}\n".encode())
        self._say(f"search on:      {', '.join(keys)} hardly matter{'s' * (len(keys) == 1)} here: {command}")

    def _say(self, line: str) -> None:
        tell(self._console, line)


def told_paused(trial: FrozenTrial, plan: SweepPlan) -> str:
    """Where a paused trial is, what it reached, and with which values."""
    epochs, (_, value) = planned_epochs(trial, plan.config), progress(trial) or (0, None)
    of = "" if epochs is None else f" of {epochs}"
    overrides = " ".join(plan.space.overrides(trial.params))
    reached = "" if value is None else f", {value:.4f}"
    return f"paused at epoch {epochs_run(trial)}{of}: trial {trial.number}{reached}: {overrides}"


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path

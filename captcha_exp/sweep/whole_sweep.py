"""Run a sweep from its plan to its results."""

import warnings
from collections.abc import Callable, Sequence
from contextlib import closing, suppress

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import RandomSampler
from rich.console import Console

from captcha_exp.config import PrunerKind, WorkerEngine
from captcha_exp.errors import FullDiskError, InputError
from captcha_exp.sweep.absent_database import is_of_file, once_it_answers
from captcha_exp.sweep.ending import EXIT_FAILED, Ending
from captcha_exp.sweep.introduction import introduce
from captcha_exp.sweep.live_page import LivePage, WriteReport
from captcha_exp.sweep.live_view import View
from captcha_exp.sweep.local_workers import LocalWorkers
from captcha_exp.sweep.plan import SweepPlan, check_space
from captcha_exp.sweep.rehearsal import rehearse
from captcha_exp.sweep.repeats import told_too_few
from captcha_exp.sweep.storage import NO_ANSWER, quiet_optuna, shown
from captcha_exp.sweep.study import CHOICES, N_TRIALS, PARENT_RUN, QUESTION, OpenStudy, definition, open_study
from captcha_exp.sweep.study_lock import StudyLock
from captcha_exp.sweep.supervisor import Supervisor, SweepFailedError
from captcha_exp.sweep.sweep_store import SweepRecord
from captcha_exp.sweep.warm_runs import FindRuns
from captcha_exp.sweep.warm_start import check_sources, take_over
from captcha_exp.sweep.worker_process import Workers
from captcha_exp.terminal import complain

_FILE_WIDTH = 200  # lines in a file need not be wrapped

OpenRecord = Callable[[str, StudyLock], SweepRecord | None]


def run_sweep(
    plan: SweepPlan,
    data: dict[str, str],
    open_record: OpenRecord,
    write_report: WriteReport,
    find_runs: FindRuns,
    computed: Sequence[str] = (),
) -> int:
    """Start or resume a sweep, wait for its end, and write its results.

    Args:
        plan: the sweep.
        data: what identifies the data of this sweep, by the name that an error message shows.
        open_record: takes the study's key, and its lock to hold while it makes the sweep's run; returns that run, or
            None if no store keeps the sweep.
        write_report: returns the report's page, or None. It is called with the progress while the sweep runs, and with
            None after the results are written.
        find_runs: returns the finished runs that an entry of `sweep.warm_start` names.
        computed: overrides for the workers, which would compute these values differently.

    Returns:
        The exit code: 0 if a trial finished, 1 if none did or the sweep cannot go on, 3 if some finished and others
        failed (unless they only diverged or took too long), 4 if the store could not be told all, 130 or 143 after a
        signal.

    Raises:
        InputError: the study was made for another search, or its database cannot be used.
        FullDiskError: there is no room to go on; the results so far stay.
    """
    quiet_optuna()
    with closing(_workers(plan, computed)) as workers:
        opened = _open(plan, data, find_runs)
        try:
            return _search(plan, opened, workers, open_record, write_report, find_runs)
        except NO_ANSWER as error:
            if is_of_file(error):
                raise
            complain(f"error: sweep {plan.name} stopped: its database does not answer. Type the command again later.")
            return EXIT_FAILED


def _search(
    plan: SweepPlan,
    opened: OpenStudy,
    workers: Workers,
    open_record: OpenRecord,
    write_report: WriteReport,
    find_runs: FindRuns,
) -> int:
    """Run the sweep of an open study to its end. Returns the exit code.

    Raises:
        OperationalError: or another of `NO_ANSWER`. The database did not answer for a while.
    """
    once_it_answers(lambda: _note(plan, opened.study))
    taken_over = once_it_answers(lambda: take_over(plan, opened, find_runs))
    record = once_it_answers(lambda: open_record(opened.key, opened.lock))
    if record is not None:
        run_id = record.run_id
        once_it_answers(lambda: opened.study.set_user_attr(PARENT_RUN, run_id))
        introduce(plan, opened, record)
    console = _console()
    ending = Ending(plan, opened, record, console, write_report)
    ui_hint = record.ui_hint if record is not None else None
    with View(plan, console) as view, LivePage(plan, opened, view, write_report, ui_hint):
        for line in [_opening(plan, opened), *_cluster(workers), *taken_over, *_unpruned(plan)]:
            view.say(line)
        supervisor = Supervisor(plan, opened, view, workers)
        try:
            stopped_by = supervisor.run()
        except SweepFailedError as error:
            return ending.failed(error)
        except FullDiskError:
            with suppress(Exception):  # the error that matters is already known
                ending.close(interrupted=True)
            raise
    return ending.stopped(stopped_by) if stopped_by is not None else ending.complete(supervisor.end)


def _workers(plan: SweepPlan, computed: Sequence[str]) -> Workers:
    """What starts the workers; a cluster that cannot be used is refused before anything begins."""
    sweep = plan.config.sweep
    if sweep.engine is WorkerEngine.local:
        return LocalWorkers(sweep.workers, computed)
    try:
        from captcha_exp.sweep.ray_workers import RayWorkers
    except ModuleNotFoundError as error:
        raise InputError(
            "sweep.engine=ray needs Ray: pip install 'captcha-exp[ray]', or sweep.engine=local."
        ) from error
    return RayWorkers(plan.config, computed)


def _cluster(workers: Workers) -> list[str]:
    return [f"workers run on the {workers.description}"] if workers.description else []


def _console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_FILE_WIDTH)


def _open(plan: SweepPlan, data: dict[str, str], find_runs: FindRuns) -> OpenStudy:
    """The study, after all checks that need nothing but the plan."""
    check_space(plan)
    rehearse(plan)
    check_sources(plan, find_runs)
    return open_study(plan.config, RandomSampler(), definition(plan.config, plan.space, data), plan.first)


def _note(plan: SweepPlan, study: optuna.Study) -> None:
    """Note what readers need who do not have the plan."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        study.set_metric_names([objective.metric for objective in plan.config.sweep.objectives])
    study.set_user_attr(QUESTION, plan.config.sweep.question)
    study.set_user_attr(N_TRIALS, plan.n_trials)
    study.set_user_attr(CHOICES, dict(plan.choices))


def _opening(plan: SweepPlan, opened: OpenStudy) -> str:
    tally = opened.tally()
    resumed = f", {len(tally.ended)} of them ended before" if tally.trials else ""
    workers = plan.config.sweep.workers
    return (
        f"sweep {plan.name}: {plan.n_trials} trials{resumed}; {workers} worker{'s' if workers > 1 else ''}, "
        f"study {shown(opened.url)}, logs {plan.folder}/worker-*.log"
    )


def _unpruned(plan: SweepPlan) -> list[str]:
    """Tell that the pruner has nothing to do."""
    sweep, too_few = plan.config.sweep, told_too_few(plan.config)
    if too_few is not None:
        return [f"{too_few}."]
    if sweep.prunes or sweep.pruner.kind == PrunerKind.none:
        return []
    return [
        "no trial is pruned, as there are several objectives; `sweep.pruner.first_objective=true` lets the first of "
        "them decide."
    ]

"""Let parts of sweeps fail at random, and look whether anything is lost.

Several hosts share one study in a PostgreSQL server on loopback. A schedule, drawn from a seed, kills, stops and
restarts them and the server. At the end each trial must have ended exactly once, with its result, and nothing may be
left over.

Run: python -m benchmarks.fault_schedules --seeds 0:200 --lanes 2
"""

import argparse
import csv
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import optuna
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState

from benchmarks.postgres_server import Server
from benchmarks.quick_sweep import KEY, WORKERS, QuickJob, fork, quick_plan, quick_value, supervise
from captcha_exp.sweep.plan import SweepPlan
from captcha_exp.sweep.storage import DEATHS, HISTORY, REASON, RUN_ID
from captcha_exp.sweep.tally import Tally, TrialOutcome

KINDS = ("kill worker", "kill supervisor", "kill host", "terminate", "cut off", "restart database", "join")
_GRACE_S = 4  # of a heartbeat of one second
_EPOCHS = 4
_END_S = 90
_LEAVE_S = 25  # in which a worker whose supervisor was killed ends


@dataclass(frozen=True)
class Fault:
    """What fails `after_s` seconds after the fault before it. `choice` picks the host or the worker."""

    after_s: float
    kind: str
    choice: int


@dataclass(frozen=True)
class Schedule:
    """A sweep and what happens to it."""

    seed: int
    hosts: int
    workers: int
    n_trials: int
    epoch_s: float
    pruner: str
    max_retries: int
    raise_below: float
    faults: tuple[Fault, ...]

    @classmethod
    def drawn(cls, seed: int) -> "Schedule":
        """The schedule of a seed."""
        draw = random.Random(seed)
        kinds = draw.choices(KINDS, k=draw.randint(2, 6))
        return cls(
            seed=seed,
            hosts=draw.randint(1, 3),
            workers=draw.randint(1, 2),
            n_trials=draw.randint(6, 16),
            epoch_s=draw.choice((0.02, 0.1, 0.25)),
            pruner=draw.choice(("asha", "median", "none")),
            max_retries=draw.choice((0, 3, 50)),
            raise_below=draw.choice((0, 0, 0.05)),
            faults=tuple(Fault(draw.uniform(0.1, 2.5), kind, draw.randrange(1000)) for kind in kinds),
        )

    def overrides(self, url: str) -> list[str]:
        """The sweep's configuration."""
        sizes = [f"sweep.n_trials={self.n_trials}", f"sweep.workers={self.workers}", f"training.epochs={_EPOCHS}"]
        rules = [f"sweep.pruner.kind={self.pruner}", f"sweep.max_retries={self.max_retries}"]
        # A study for each seed, and enough failures in a row that are no reason to stop.
        return [*sizes, *rules, "sweep.heartbeat_s=1", "sweep.stop_after_failures=99", f"sweep.storage={url}"]


@dataclass
class Supervisor:
    """A process that a host has started."""

    host: "Host"
    pid: int
    expected: set[int] = field(default_factory=lambda: {0})
    code: int | None = None

    def poll(self) -> int | None:
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.code = os.waitstatus_to_exitcode(status) if pid else None
        return self.code


class Host:
    """A machine with a disk of its own: one supervisor at a time, and its workers."""

    def __init__(self, folder: Path, name: str, schedule: Schedule, plan: SweepPlan) -> None:
        self.folder, self.name, self.schedule, self.plan = folder, name, schedule, plan
        self.supervisors: list[Supervisor] = []
        self.stopped: list[int] = []

    def start(self) -> None:
        job = QuickJob(self.plan, self.schedule.epoch_s, self.schedule.raise_below)
        printed = self.folder / f"printed-{len(self.supervisors)}.txt"
        self.supervisors.append(Supervisor(self, fork(lambda: supervise(job, self.name), printed)))

    @property
    def running(self) -> Supervisor | None:
        last = self.supervisors[-1] if self.supervisors else None
        return last if last is not None and last.poll() is None else None

    def workers(self) -> list[int]:
        """Its workers that are alive."""
        pids = (int(file.name) for file in (self.folder / WORKERS).glob("*"))
        return [pid for pid in pids if is_alive(pid)]

    def processes(self) -> list[int]:
        """All that runs on it."""
        last = self.running
        return [*([last.pid, *_children(last.pid)] if last is not None else []), *self.workers()]

    def send(self, number: int, pids: Sequence[int]) -> None:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def printed(self) -> str:
        return "".join(f"--- {file.name}\n{file.read_text()}" for file in sorted(self.folder.glob("printed-*.txt")))


class Trouble:
    """A schedule in progress."""

    def __init__(self, schedule: Schedule, server: Server, folder: Path) -> None:
        self.schedule, self.server, self.folder = schedule, server, folder
        self.plan_of: dict[str, SweepPlan] = {}
        self.hosts: list[Host] = []
        self.restarts = 0
        self.done: list[str] = []
        self._due: list[tuple[float, Callable[[], None]]] = []

    def run(self) -> list[str]:
        """Let everything happen, wait for the end. Returns what is wrong then."""
        try:
            for _ in range(self.schedule.hosts):
                self._join()
            for fault in self.schedule.faults:
                self._wait(fault.after_s)
                self._apply(fault)
            self._wait(max((when - time.monotonic() for when, _ in self._due), default=0))
            return self._to_the_end() or self._left_over() or wrong_results(self._study(), self.schedule, self.hosts)
        finally:
            for host in self.hosts:
                host.send(signal.SIGKILL, host.processes())

    def _join(self) -> None:
        name = f"host-{len(self.hosts)}"
        folder = self.folder / name
        folder.mkdir()
        plan = quick_plan(folder, *self.schedule.overrides(self.server.url), f"sweep.name=s{self.schedule.seed}")
        self.hosts.append(Host(folder, name, self.schedule, plan))
        self.hosts[-1].start()

    def _wait(self, seconds: float) -> None:
        """Wait, and let begin what is due meanwhile."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 or any(when <= time.monotonic() for when, _ in self._due):
            for entry in [entry for entry in self._due if entry[0] <= time.monotonic()]:
                self._due.remove(entry)
                entry[1]()
            time.sleep(min(0.02, max(0.0, left)))

    def _apply(self, fault: Fault) -> None:
        self.done.append(f"{time.strftime('%H:%M:%S')} {fault.kind}")
        up = [host for host in self.hosts if host.running is not None]
        if fault.kind == "restart database":
            self._restart_database(0.2 + fault.choice / 500)
        elif fault.kind == "join":
            self._join()
        elif up:
            self._harm(fault.kind, up[fault.choice % len(up)], fault.choice)

    def _restart_database(self, away_s: float) -> None:
        self.server.stop(signal.SIGQUIT)
        self._wait(away_s)
        self.server.start()
        self.restarts += 1

    def _harm(self, kind: str, host: Host, choice: int) -> None:
        supervisor, workers = host.running, host.workers()
        assert supervisor is not None
        if kind == "kill worker" and workers:
            host.send(signal.SIGKILL, [workers[choice % len(workers)]])
        elif kind == "kill supervisor":
            supervisor.expected = {-signal.SIGKILL}
            host.send(signal.SIGKILL, [supervisor.pid])
            os.waitid(os.P_PID, supervisor.pid, os.WEXITED | os.WNOWAIT)
            host.start()
        elif kind == "kill host":
            supervisor.expected = {-signal.SIGKILL}
            host.send(signal.SIGKILL, host.processes())
        elif kind == "terminate":
            supervisor.expected |= {128 + signal.SIGTERM, -signal.SIGTERM}  # the latter if it has hardly begun
            host.send(signal.SIGTERM, [supervisor.pid])
        elif kind == "cut off":
            pids = host.processes()
            host.send(signal.SIGSTOP, pids)
            back = time.monotonic() + _GRACE_S + 1.5 + choice / 500
            self._due.append((back, lambda: host.send(signal.SIGCONT, pids)))

    def _to_the_end(self) -> list[str]:
        """Wait until no supervisor runs. If the search is not complete then, type its command once more."""
        for typed in range(3):
            if not self._all_end():
                return ["the sweep does not end"]
            wrong = [told for host in self.hosts for told in self._wrong_codes(host)]
            if wrong or (typed and not self._missing()):
                return wrong
            if not self._missing() and any(s.code in (0, 1, 3) for h in self.hosts for s in h.supervisors):
                return []
            self.hosts[0].start()
        return [f"{self._missing()} trials are missing after the same command was typed again"]

    def _all_end(self) -> bool:
        deadline = time.monotonic() + _END_S
        while any(host.running for host in self.hosts):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def _missing(self) -> int:
        return self.schedule.n_trials - len(self._tally().ended)

    def _tally(self) -> Tally:
        """The trials; none if no host came so far as to make the study."""
        try:
            return Tally(self._study().get_trials())
        except KeyError:
            return Tally([])

    def _wrong_codes(self, host: Host) -> list[str]:
        printed = host.printed()
        wrong = [f"{host.name} prints a traceback"] if "Traceback" in printed else []
        complete = self._missing() == 0
        honest = _honest_code(self._tally())
        for supervisor in host.supervisors:
            supervisor.poll()
            expected = {honest if code == 0 else code for code in supervisor.expected}
            if self.restarts and supervisor.code == 2:
                continue  # it began while the database was away, and said so
            if supervisor.code not in expected or (supervisor.code == honest and not complete):
                wrong.append(f"a supervisor of {host.name} ended with {supervisor.code}, not {sorted(expected)}")
        return wrong

    def _left_over(self) -> list[str]:
        deadline = time.monotonic() + _LEAVE_S
        while any(host.workers() for host in self.hosts):
            if time.monotonic() > deadline:
                return [f"orphans of {host.name}: {host.workers()}" for host in self.hosts if host.workers()]
            time.sleep(0.05)
        return []

    def _study(self) -> optuna.Study:
        return optuna.load_study(study_name=f"s{self.schedule.seed}", storage=_storage(self.server.url))


def wrong_results(study: optuna.Study, schedule: Schedule, hosts: Sequence[Host]) -> list[str]:
    """What is lost, doubled, unwritten or not ended in a study whose search has ended."""
    trials = study.get_trials()
    tally = Tally(trials)
    counted = [trial for trial in trials if trial.state.is_finished() and not tally.is_retried(trial)]
    wrong = [] if len(counted) == schedule.n_trials else [f"{len(counted)} of {schedule.n_trials} trials ended"]
    wrong += [f"trial {t.number} is {t.state.name}" for t in trials if not t.state.is_finished()]
    if [trial.number for trial in trials] != list(range(len(trials))):
        wrong.append("the numbers have gaps")
    before = Counter(trial.system_attrs[HISTORY][-1] for trial in trials if HISTORY in trial.system_attrs)
    wrong += [f"trial {number} was tried again {count} times" for number, count in before.items() if count > 1]
    wrong += [f"trial {n} had ended, and was tried again" for n in before if not _is_lost(trials[n])]
    wrong += [told for trial in counted for told in _wrong_trial(trial, schedule)]
    return wrong + _wrong_tables(hosts, counted)


def _is_lost(trial: FrozenTrial) -> bool:
    return trial.state is TrialState.FAIL and REASON not in trial.user_attrs


def _wrong_trial(trial: FrozenTrial, schedule: Schedule) -> list[str]:
    name, dropout = f"trial {trial.number}", trial.params.get(KEY)
    if dropout is None:
        return [f"{name} has no parameters"]
    if trial.state is TrialState.FAIL:
        raised = dropout < schedule.raise_below and REASON in trial.user_attrs
        died = trial.user_attrs.get(DEATHS, 0) >= schedule.max_retries and REASON not in trial.user_attrs
        return [] if raised or died else [f"{name} failed: {trial.user_attrs}"]
    if dropout < schedule.raise_below:
        return [f"{name} raised, and is {trial.state.name}"]
    wrong = [] if trial.user_attrs.get(RUN_ID) == f"run-trial-{trial.number:04d}" else [f"{name} has no run"]
    seen = trial.intermediate_values
    if any(value != quick_value(dropout, epoch + 1) for epoch, value in seen.items()):
        wrong.append(f"{name} has values of another trial")
    if schedule.pruner != "none" and sorted(seen) != list(range(len(seen))):
        wrong.append(f"{name} lacks epochs: {sorted(seen)}")
    if trial.state is TrialState.COMPLETE and trial.values != [quick_value(dropout, _EPOCHS)]:
        wrong.append(f"{name} finished with {trial.values}")
    return wrong


def _wrong_tables(hosts: Sequence[Host], counted: Sequence[FrozenTrial]) -> list[str]:
    """Each host that saw the end has a table of all trials."""
    wrong = []
    for host in hosts:
        if not any(supervisor.code in (0, 3) for supervisor in host.supervisors):
            continue
        with (host.plan.folder / "trials.csv").open() as file:
            rows = {row["number"]: row["state"] for row in csv.DictReader(file)}
        missing = [trial.number for trial in counted if rows.get(str(trial.number)) in (None, "running", "waiting")]
        wrong += [f"the table of {host.name} lacks {missing}"] if missing else []
    return wrong


def _honest_code(tally: Tally) -> int:
    if not tally.of(TrialOutcome.finished):
        return 1
    return 3 if tally.of(TrialOutcome.failed) else 0


def _storage(url: str) -> RDBStorage:
    return RDBStorage(url, engine_kwargs={"pool_pre_ping": True})


def is_alive(pid: int) -> bool:
    """Whether a process runs, or is stopped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def run_seeds(seeds: Sequence[int], server: Server, folder: Path) -> int:
    """Run the schedules of the seeds, and print a line for each. Returns how many went wrong."""
    failed = 0
    for seed in seeds:
        schedule, began = Schedule.drawn(seed), time.monotonic()
        place = folder / str(seed)
        place.mkdir()
        trouble = Trouble(schedule, server, place)
        wrong = trouble.run()
        failed += bool(wrong)
        kinds = ", ".join(fault.kind for fault in schedule.faults)
        told = f"WRONG: {'; '.join(wrong)} ({place}; {', '.join(trouble.done)})" if wrong else "nothing lost"
        print(f"seed {seed}: {time.monotonic() - began:.0f} s, {kinds}: {told}", flush=True)
    return failed


def _seeds(text: str) -> Sequence[int]:
    return range(*map(int, text.split(":"))) if ":" in text else [int(seed) for seed in text.split(",")]


def main() -> int:
    """Run schedules in lanes, each with a server of its own. The exit code is 1 if something was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=_seeds, default="0:200", help="FIRST:END, or several with commas between")
    parser.add_argument("--lanes", type=int, default=1, help="how many schedules run at the same time")
    options = parser.parse_args()
    seeds = options.seeds
    if options.lanes > 1:
        own = [sys.executable, "-m", "benchmarks.fault_schedules", "--seeds"]
        parts = [",".join(map(str, seeds[lane :: options.lanes])) for lane in range(options.lanes)]
        lanes = [subprocess.Popen([*own, part]) for part in parts if part]
        return max(lane.wait() for lane in lanes)
    with tempfile.TemporaryDirectory(prefix="pg") as name:
        server = Server(Path(name))
        server.start()
        try:
            failed = run_seeds(seeds, server, Path(tempfile.mkdtemp(prefix="faults-")))
        finally:
            server.stop()
    print(f"{len(seeds)} schedules, {failed} of them lost something or ended wrongly")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

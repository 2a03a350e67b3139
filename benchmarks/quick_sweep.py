"""A sweep whose trials cost nothing, by processes that are forked: what is left is the sweep's own work.

Supervisor, workers, study and lock are the real ones. Instead of a command line and a training there is a function that
makes up a learning curve, and instead of new interpreters there are forks of one that has imported everything.
"""

import ctypes
import gc
import logging
import os
import platform
import signal
import socket
import struct
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import alembic.command  # noqa: F401  Optuna would import these two in each process
import optuna.importance  # noqa: F401
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser

from captcha_exp.command_line import exit_code
from captcha_exp.config import Config, conf_dir, load_config
from captcha_exp.sweep import Worker, WorkerOrder, open_trial, plan_sweep, run_sweep, whole_sweep
from captcha_exp.sweep.job_trial import TRIAL
from captcha_exp.sweep.plan import SweepPlan
from captcha_exp.sweep.study_lock import StudyLock
from captcha_exp.sweep.trial_process import kill_group, this_host
from captcha_exp.sweep.whole_sweep import OpenRecord
from captcha_exp.terminal import log_to_terminal

KEY = "transformer.dropout"
WORKERS = "workers"  # the folder below `root` with a file for each worker that began, named after its process
_BECOME_PARENT_OF_ORPHANS = 36  # PR_SET_CHILD_SUBREAPER


def quick_plan(root: Path, *overrides: str) -> SweepPlan:
    """The plan of a sweep named `quick` over one key."""
    config = _composed(overrides).model_copy(update={"root": str(root)})
    searched = [f"{KEY}=interval(0,0.4)"]
    return plan_sweep(config, searched, OverridesParser.create(), {}, lambda _: config)


@cache
def _composed(overrides: tuple[str, ...]) -> Config:
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return load_config(compose("config", ["sweep.name=quick", *overrides]))


@dataclass(frozen=True)
class QuickJob:
    """The job of a trial: `epoch_s` seconds an epoch. It raises where the searched value is below `raise_below`."""

    plan: SweepPlan
    epoch_s: float = 0
    raise_below: float = 0

    def __call__(self, overrides: list[str], number: int) -> Mapping[str, Any]:
        os.environ[TRIAL] = str(number)
        trial = open_trial(self.plan.config)
        assert trial is not None
        dropout, epochs = float(trial.searched[KEY]), self.plan.config.training.epochs or 0
        for epoch in range(trial.pause.epochs_before if trial.pause is not None else 0, epochs):
            time.sleep(self.epoch_s)
            if dropout < self.raise_below:
                raise ArithmeticError("the loss is too large")
            if trial.report(epoch, {"val/sequence_accuracy": quick_value(dropout, epoch + 1)}):
                return {"state": "pruned", "metrics": {}, "run_id": f"run-{trial.name}"}
        metrics = {"best/val/sequence_accuracy": quick_value(dropout, epochs)}
        return {"state": "finished", "metrics": metrics, "run_id": f"run-{trial.name}"}


def quick_value(dropout: float, epochs: int) -> float:
    """What a trial reaches after so many epochs."""
    return (1 - abs(dropout - 0.3)) * (1 - 0.5**epochs)


def fork(work: Callable[[], int], printed: Path) -> int:
    """Do some work in a process that leads a session of its own. Returns its id; its exit code is what `work` returns.

    Args:
        work: does it.
        printed: the file to which all that it prints is added.
    """
    gc.freeze()  # Optuna collects garbage after each trial, and would look at all that was imported
    pid = os.fork()
    if pid == 0:
        _become(work, printed, os.open(os.devnull, os.O_RDONLY))
    return pid


def no_record(key: str, lock: StudyLock) -> None:
    """No store keeps the sweep."""


def supervise(job: QuickJob, host: str, open_record: OpenRecord = no_record) -> int:
    """Run the sweep in this process as one of its supervisors, on a machine named `host`. Returns the exit code."""
    platform.node = lambda: host  # processes of another machine cannot be looked at
    this_host.cache_clear()
    nursery = _Nursery(job)
    whole_sweep.LocalWorkers = lambda count, computed: _ForkedWorkers(nursery)  # type: ignore
    code: list[int] = []
    told = exit_code(lambda: code.append(run_sweep(job.plan, {}, open_record, lambda _: None, lambda _: [])))
    return code[0] if code else told


class _Nursery:
    """A process that forks workers. It is made before the supervisor opens a database, whose connections are its own.

    The supervisor becomes the parent of the workers because their real parent ends at once.
    """

    def __init__(self, job: QuickJob) -> None:
        ctypes.CDLL(None).prctl(_BECOME_PARENT_OF_ORPHANS, 1, 0, 0, 0)
        self._socket, inner = socket.socketpair()
        if os.fork() == 0:
            self._socket.close()
            with suppress(ConnectionError):  # the supervisor was killed
                _serve(inner, job)
            os._exit(0)
        inner.close()

    def worker(self, order: WorkerOrder, log_file: Path) -> tuple[int, int]:
        """The id of a new worker, and the pipe that it waits to see closed."""
        read, write = os.pipe()
        text = f"{order.number} {-1 if order.threads is None else order.threads} {order.since} {log_file}"
        socket.send_fds(self._socket, [text.encode()], [read])
        os.close(read)
        answer = b""
        while len(answer) < 5:
            answer += self._socket.recv(5 - len(answer)) or _gone()
        return struct.unpack("i", answer[:4])[0], write


def _gone() -> NoReturn:
    raise RuntimeError("the process that forks workers has ended")


def _serve(requests: socket.socket, job: QuickJob) -> None:
    while True:
        text, files, *_ = socket.recv_fds(requests, 4096, 1)
        if not text:
            return
        number, threads, since, log_file = text.decode().split(" ", 3)
        order = WorkerOrder(int(number), None if threads == "-1" else int(threads), int(since))
        parent = os.fork()
        if parent == 0:
            worker = os.fork()
            if worker == 0:
                requests.close()
                _become(lambda: _work(job, order), Path(log_file), files[0])  # noqa: B023
            with suppress(ConnectionError):
                requests.sendall(struct.pack("i", worker))
            os._exit(0)
        os.waitpid(parent, 0)
        os.close(files[0])
        requests.sendall(b".")


def _work(job: QuickJob, order: WorkerOrder) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    begun = job.plan.config.root_path / WORKERS
    begun.mkdir(exist_ok=True)
    (begun / str(os.getpid())).touch()
    return Worker(job.plan, order, job).run()


class _ForkedWorkers:
    description: str | None = None
    cores = 1

    def __init__(self, nursery: _Nursery) -> None:
        self._nursery = nursery

    def start(self, order: WorkerOrder, log_file: Path) -> "_ForkedWorker":
        return _ForkedWorker(*self._nursery.worker(order, log_file))

    def close(self) -> None:
        return


class _ForkedWorker:
    """What `subprocess.Popen` is to a supervisor. Its pipe is closed when this process ends."""

    def __init__(self, pid: int, pipe: int) -> None:
        self.pid, self._pipe = pid, pipe
        self._code: int | None = None

    def poll(self) -> int | None:
        return self._wait(os.WNOHANG)

    def terminate(self) -> None:
        if self._code is None:
            os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        kill_group(self)  # type: ignore[arg-type]
        self._wait(0)

    def _wait(self, options: int) -> int | None:
        if self._code is None:
            pid, status = os.waitpid(self.pid, options)
            self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code


def _become(work: Callable[[], int], printed: Path, standard_input: int) -> NoReturn:
    code = 1
    try:
        os.setsid()
        output = os.open(printed, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for copied, standard in ((standard_input, 0), (output, 1), (output, 2)):
            os.dup2(copied, standard)
        os.close(output)
        # A test's own may lead elsewhere. To drop one of these must not close what the next fork of this process uses.
        sys.stdin = open(0, closefd=False)  # noqa: SIM115
        sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
        signal.signal(signal.SIGINT, signal.default_int_handler)
        log_to_terminal()
        code = work()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)

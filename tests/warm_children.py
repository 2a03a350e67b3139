"""Children of a warm process that begin warm, too: they are forked from what that process was before its command began.

The server that forks them is a child of the warm process, and ends with it. The children are the warm process's own:
it waits for them and kills them as it does with processes that `subprocess.Popen` has started cold.
"""

import atexit
import ctypes
import inspect
import os
import pickle
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.warm_processes import run_program

NAME = "warm-children"  # of the server, by which it is told from the children
_SET_CHILD_SUBREAPER = 36  # of prctl(2)
_COLD = subprocess.Popen
_ONE_ORDER_AT_A_TIME = threading.Lock()


def children(pid: int) -> list[int]:
    """Process ids of the children of `pid`, without a server of warm ones."""
    direct = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in direct if _name(child) != NAME]


def _name(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""  # it has ended


def start_children_warm() -> None:
    """Let `subprocess.Popen` fork Python programs instead of starting them. This process has no thread yet."""
    ours, servers = socket.socketpair()
    if os.fork() == 0:
        ours.close()
        os.setsid()  # who kills the warm process's group must not need to know of the server
        _end_after(partial(_serve, servers))
    servers.close()
    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    _WarmPopen.server = ours
    subprocess.Popen = _WarmPopen  # type: ignore[misc]


class _WarmPopen(subprocess.Popen):  # type: ignore[type-arg]
    server: socket.socket

    def _execute_child(self, *positional: Any) -> None:
        given = inspect.signature(_COLD._execute_child).bind(self, *positional).arguments  # type: ignore[attr-defined]
        command = given["args"]
        if not isinstance(command, list) or command[0] != sys.executable:
            return super()._execute_child(*positional)  # type: ignore[misc]
        ends = [given[name] for name in ("p2cread", "c2pwrite", "errwrite")]
        standard = [end if end != -1 else number for number, end in enumerate(ends)]
        environment = dict(os.environ if given["env"] is None else given["env"])
        order = pickle.dumps((command, os.fspath(given["cwd"] or os.getcwd()), environment, given["start_new_session"]))
        with _ONE_ORDER_AT_A_TIME:
            socket.send_fds(self.server, [len(order).to_bytes(4), order], standard)
            self.pid = int.from_bytes(self.server.recv(4))
        self._child_created = True
        pipes = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")
        self._close_pipe_fds(*(given[pipe] for pipe in pipes))  # type: ignore[attr-defined]


def _serve(asked: socket.socket) -> None:
    """Fork a process for each order. It becomes an orphan, and so a child of the warm process, before that knows it."""
    Path("/proc/self/comm").write_text(NAME)
    while True:
        begun, standard, _, _ = socket.recv_fds(asked, 1 << 16, 3)
        if not begun:
            return
        order = begun[4:]
        while len(order) < int.from_bytes(begun[:4]):
            order += asked.recv(1 << 16)
        told, tell = os.pipe()
        between = os.fork()
        if between == 0:
            child = os.fork()
            if child == 0:
                asked.close()
                os.close(told)
                os.close(tell)
                _end_after(partial(_begin, order, standard))
            os.write(tell, child.to_bytes(4))
            os._exit(0)
        for file in (tell, *standard):
            os.close(file)
        os.waitpid(between, 0)
        asked.sendall(os.read(told, 4))
        os.close(told)


def _begin(order: bytes, standard: list[int]) -> None:
    command, folder, environment, new_session = pickle.loads(order)
    if new_session:
        os.setsid()
    Path("/proc/self/comm").write_text("python")
    for number, file in enumerate(standard):
        os.dup2(file, number)
    for file in set(standard) - {0, 1, 2}:
        os.close(file)
    sys.stdin = os.fdopen(0, closefd=False)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(write_through=True)  # type: ignore[union-attr]
    run_program(command, folder, environment)


def _end_after(run: Callable[[], None]) -> None:
    """End this process as Python ends after its program."""
    code: Any = 1
    try:
        run()
        code = 0
    except SystemExit as ended:
        code = ended.code
    except BaseException:
        traceback.print_exc()
    if code is not None and not isinstance(code, int):
        print(code, file=sys.stderr)
        code = 1
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code or 0)

"""Which process runs a trial, told so that another on the same machine can see whether it still lives."""

import os
import platform
import signal
import subprocess
from functools import cache
from pathlib import Path
from typing import Any


@cache
def this_host() -> str:
    """This machine since its last start, and this container: process ids mean the same wherever this is equal."""
    parts = [platform.node()]
    boot, namespace = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
    if boot.exists():
        parts.append(boot.read_text().strip())
    if namespace.is_symlink():
        parts.append(os.readlink(namespace))
    return " ".join(parts)


def this_process() -> dict[str, Any]:
    """What `is_dead` needs to know about the calling process."""
    return {"host": this_host(), "pid": os.getpid(), "started": _started(os.getpid())}


def is_dead(process: Any) -> bool:
    """Whether `process` is known to have ended; False when it ran elsewhere, because nobody here can know."""
    if not isinstance(process, dict) or not isinstance(process.get("pid"), int):
        return False  # not what `this_process` told
    return process.get("host") == this_host() and _started(process["pid"]) != process.get("started")


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process that leads a group, with all that it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return  # all gone


def _started(pid: int) -> str | None:
    """When `pid` started, in whatever unit the system counts; None for a process that has ended."""
    try:
        # The command's name, in parentheses, may hold blanks and parentheses itself.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None if Path("/proc/self/stat").exists() else _started_by_ps(pid)
    ended = fields[0] in {"Z", "X"}
    return None if ended else fields[19]


def _started_by_ps(pid: int) -> str | None:
    """For systems without /proc."""
    told = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, started = told.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else started.strip()

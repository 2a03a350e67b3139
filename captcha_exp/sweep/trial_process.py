"""Record which process runs a trial, so that others on the same machine can see whether it is alive."""

import os
import platform
import signal
import subprocess
from functools import cache
from pathlib import Path
from typing import Any


@cache
def this_host() -> str:
    """A name for this machine, since its last start, and this container. If equal, process ids are comparable."""
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
    """Whether `process` is known to have ended. False if it ran elsewhere, because this machine cannot know."""
    if not isinstance(process, dict) or not isinstance(process.get("pid"), int):
        return False  # `this_process` did not write it
    return process.get("host") == this_host() and _started(process["pid"]) != process.get("started")


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    """Kill the leader of a process group, and all processes of the group."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return  # all gone


def _started(pid: int) -> str | None:
    """When `pid` started, in the system's own unit; None if the process has ended."""
    try:
        # The command's name is in parentheses, and may itself hold blanks and parentheses.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None if Path("/proc/self/stat").exists() else _started_by_ps(pid)
    ended = fields[0] in {"Z", "X"}
    return None if ended else fields[19]


def _started_by_ps(pid: int) -> str | None:
    """The same for systems without /proc."""
    told = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, started = told.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else started.strip()

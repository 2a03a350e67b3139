"""What a run ran on: versions, machine, state of the source."""

import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from captcha_exp.config import without_passwords

# Packages that can change a result or the way it is recorded.
_PACKAGES = (
    "captcha-exp",
    "tensorflow",
    "jax",
    "torch",
    "keras",
    "numpy",
    "mlflow",
    "optuna",
    "hydra-core",
    "kagglehub",
    "captcha",
    "pillow",
    "matplotlib",
)
_GIT_TIMEOUT_S = 5


@dataclass(frozen=True)
class GitState:
    """The commit of the working directory, and whether files differ from it. Both are None outside a repository."""

    commit: str | None
    dirty: bool | None

    def tags(self) -> dict[str, str]:
        if self.commit is None:
            return {}
        return {"git.commit": self.commit, "git.dirty": str(self.dirty).lower()}


@cache
def git_state() -> GitState:
    """Ask git, once per process, for the commit and for changes of tracked files."""
    commit = _git("rev-parse", "HEAD")
    if commit is None:
        return GitState(None, None)
    changes = _git("status", "--porcelain", "--untracked-files=no")
    return GitState(commit, None if changes is None else changes != "")


def installed_version(package: str) -> str | None:
    """Version of an installed distribution, or None if it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def describe_environment() -> dict[str, Any]:
    """Versions, machine and source state as plain values, fit for JSON."""
    git = git_state()
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu_count": os.cpu_count(),
        "command": without_passwords(sys.argv),
        "packages": _package_versions(),
        "git": {"commit": git.commit, "dirty": git.dirty},
    }


@cache
def _package_versions() -> dict[str, str | None]:
    return {package: installed_version(package) for package in _PACKAGES}


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, timeout=_GIT_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None

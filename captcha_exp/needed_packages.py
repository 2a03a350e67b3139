"""What to type if the packages are missing that commands need."""

import shlex
import sys
from importlib.util import find_spec
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[1]
# Every command imports these before it looks at its arguments.
_FIRST = ("hydra", "omegaconf", "yaml", "numpy", "pydantic")
_OLDEST = (3, 11)
_EXIT_INPUT = 2


def end_if_missing() -> None:
    """End the process with one line if this Python is too old, or lacks a package that every command needs."""
    if sys.version_info < _OLDEST:
        _end(f"Python {sys.version_info[0]}.{sys.version_info[1]} is too old, {_OLDEST[0]}.{_OLDEST[1]} is needed")
    missing = next((name for name in _FIRST if find_spec(name) is None), None)
    if missing is not None:
        _end(f"{missing} is not installed for {sys.executable}")


def told_missing(error: ModuleNotFoundError) -> str | None:
    """One line about a package that is missing. None if the error is about a module of this package."""
    name = (error.name or "").partition(".")[0]
    return None if name in {"", "captcha_exp"} else f"{name} is not installed for {sys.executable}; {_remedy()}."


def _remedy() -> str:
    """What to type: the environment's own Python, or what makes the environment."""
    python = _CHECKOUT / ".venv" / "bin" / "python"
    command = shlex.join(["python", *sys.orig_argv[1:]]).removeprefix("python ")
    if not (_CHECKOUT / "Makefile").is_file():
        return "type `pip install captcha-exp`"
    if python.exists() and not Path(sys.executable).samefile(python):
        return f"type `{python} {command}`"
    return f"type `make setup` in {_CHECKOUT}, and then `{python} {command}`"


def _end(message: str) -> None:
    print(f"error: {message}; {_remedy()}.", file=sys.stderr)
    raise SystemExit(_EXIT_INPUT)

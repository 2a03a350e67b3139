"""The commands in a Python without their packages."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from captcha_exp.commands import COMMANDS

REPOSITORY = Path(__file__).resolve().parents[1]
MODULES = [
    "captcha_exp",
    *sorted({f"captcha_exp.{name}" for name in COMMANDS} - {"captcha_exp.train", "captcha_exp.sweep"}),
]
PROGRAM = (
    "import sys; sys.argv = ['/bin/captcha-exp', 'train']; from captcha_exp.front_door import main; sys.exit(main())"
)


def bare(*arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    """Run this Python without its packages (-S), from another folder."""
    return subprocess.run(
        [sys.executable, "-S", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("arguments", [*[["-m", module] for module in MODULES], ["-c", PROGRAM]], ids=" ".join)
def test_a_command_without_the_environment_is_one_line_that_says_what_to_type(
    arguments: list[str], tmp_path: Path
) -> None:
    done = bare(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith(f"error: hydra is not installed for {sys.executable}; type `")
    assert "make setup" in done.stderr or ".venv/bin/python" in done.stderr


def test_the_package_can_be_imported_without_the_environment(tmp_path: Path) -> None:
    assert bare("-c", "import captcha_exp", cwd=tmp_path).returncode == 0


def test_a_package_that_one_command_needs_is_one_line_too(tmp_path: Path) -> None:
    script = (
        "import sys; sys.modules['optuna'] = None; sys.argv[1:] = ['sweep=mine']\n"
        "from captcha_exp.report.__main__ import main; sys.exit(main())"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert done.stderr.startswith("error: optuna is not installed for ")


def test_the_oldest_python_is_that_of_the_project() -> None:
    from captcha_exp.needed_packages import _OLDEST

    wanted = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["requires-python"]
    assert wanted.startswith(f">={_OLDEST[0]}.{_OLDEST[1]},")

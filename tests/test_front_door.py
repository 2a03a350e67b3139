"""`captcha-exp`, in child processes, as a person types it."""

import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from captcha_exp.commands import COMMANDS

REPOSITORY = Path(__file__).resolve().parents[1]
ENTRY = "import sys; from captcha_exp.front_door import main; sys.argv[0] = 'captcha-exp'; sys.exit(main())"


def typed(*arguments: str, cwd: Path, start: tuple[str, ...] = ("-c", ENTRY)) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, *start, *arguments], cwd=cwd, capture_output=True, text=True, timeout=120)


def test_the_installed_program_is_this_door() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert project["scripts"] == {"captcha-exp": "captcha_exp.front_door:main"}


@pytest.mark.parametrize("arguments", [[], ["--help"], ["help"]], ids=" ".join)
def test_without_a_command_all_are_listed_with_a_sentence_each(arguments: list[str], tmp_path: Path) -> None:
    done = typed(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    words = " ".join(done.stdout.split())
    for name, command in COMMANDS.items():
        assert f" {name} {command.sentence}" in words


@pytest.mark.parametrize("start", [("-c", ENTRY), ("-m", "captcha_exp")], ids=["captcha-exp", "python -m captcha_exp"])
def test_a_mistyped_command_is_answered_with_the_nearest_one(start: tuple[str, ...], tmp_path: Path) -> None:
    done = typed("trian", "training.epochs=3", cwd=tmp_path, start=start)
    assert (done.returncode, done.stderr) == (2, "error: 'trian' is no command; did you mean train?\n")
    done = typed("xyz", cwd=tmp_path, start=start)
    assert done.stderr == f"error: 'xyz' is no command; commands are {', '.join(COMMANDS)}.\n"


def test_a_sweep_is_named_by_a_word_and_composes_with_further_values(tmp_path: Path) -> None:
    more = ["sweep.n_trials=3", "training.epochs=2", "--cfg", "job"]
    shown = [
        typed(*words, *more, cwd=tmp_path, start=start)
        for start in [("-c", ENTRY), ("-m", "captcha_exp")]
        for words in (["sweep", "attention"], ["sweep", "+sweep=attention"], ["+sweep=attention"])
    ]
    assert {(done.returncode, done.stderr) for done in shown} == {(0, "")}
    (values,) = {done.stdout for done in shown}
    assert "n_trials: 3" in values and "name: attention" in values


def test_a_sweep_without_a_name_says_which_there_are(tmp_path: Path) -> None:
    done = typed("sweep", "dataset=folder", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: Which sweep? There are architecture, attention, smoke, training;")


def test_values_without_a_command_train(tmp_path: Path) -> None:
    plain = typed("training.epochs=7", "--cfg", "job", cwd=tmp_path)
    named = typed("train", "training.epochs=7", "--cfg", "job", cwd=tmp_path)
    module = typed("training.epochs=7", "--cfg", "job", cwd=tmp_path, start=("-m", "captcha_exp"))
    assert "epochs: 7" in plain.stdout
    assert plain.stdout == named.stdout == module.stdout


@pytest.mark.parametrize("name", ["report", "promote"])
def test_a_sweep_to_look_at_is_named_by_a_word(name: str, tmp_path: Path) -> None:
    done = typed(name, "attention", "--cfg", "job", cwd=tmp_path)
    assert "sweep: attention" in done.stdout, done.stderr


def test_each_command_is_also_a_module_with_the_same_help(tmp_path: Path) -> None:
    for name in ("serve", "predict"):
        at_the_door = typed(name, "--help", cwd=tmp_path)
        module = typed("--help", cwd=tmp_path, start=("-m", f"captcha_exp.{name}"))
        assert at_the_door.stdout == module.stdout
        assert at_the_door.stdout.startswith(f"captcha-exp {name} ")


def test_a_help_whose_reader_leaves_ends_without_a_word() -> None:
    command = f"set -o pipefail; {shlex.quote(sys.executable)} -m captcha_exp --help | {{ exec 0<&-; sleep 2; }}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (141, "")

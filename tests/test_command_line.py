"""The command line as a user meets it, in child processes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "captcha_exp", *arguments], cwd=cwd, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize(
    ("arguments", "code", "names"),
    [
        (["transformer.num_head=3"], 1, "transformer.num_head"),
        (["dataset=nowhere"], 1, "dataset/nowhere"),
        (["training.epochs=[["], 1, "[["),
        (["training.epochs=many"], 2, "training.epochs"),
        (["transformer.num_heads=5"], 2, "transformer.num_heads"),
        (["dataset=folder"], 2, "dataset.path"),
        (["cnn=seed"], 1, "cnn=seed is called cnn=original now."),
        (["+experiment=seed"], 1, "experiment=seed is called experiment=original now."),
    ],
)
def test_bad_input_ends_with_one_line(arguments: list[str], code: int, names: str, tmp_path: Path) -> None:
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == code
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
    assert names in done.stderr
    assert not (tmp_path / "mlruns").exists()


@pytest.mark.parametrize("arguments", [["--help"], ["--cfg", "job"], ["+sweep=attention", "--cfg", "job"]])
def test_help_and_configuration_import_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    script = (
        "import json, sys; from captcha_exp.__main__ import main; sys.argv[1:] = json.loads(sys.argv[1])\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'tensorflow', 'keras', 'mlflow', 'optuna', 'numpy', 'matplotlib', 'pydantic'}\n"
        "print('loaded:', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, json.dumps(arguments)], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "loaded: []" in done.stdout


def test_a_mistyped_key_is_answered_with_the_nearest_one(tmp_path: Path) -> None:
    assert "Did you mean transformer.num_heads?" in run("transformer.num_head=3", cwd=tmp_path).stderr


def test_help_lists_groups_and_choices(tmp_path: Path) -> None:
    done = run("--help", cwd=tmp_path)
    for line in (
        "cnn: compact, lean, original, residual, vgg",
        "transformer: lstm, none, original, pre_norm",
        "training: pretrain, standard",
    ):
        assert line in done.stdout

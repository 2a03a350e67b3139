"""The command line as a user meets it, in child processes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from captcha_exp.pretrained_network import with_pretrained_network


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "captcha_exp", *arguments], cwd=cwd, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize(
    ("arguments", "code", "names"),
    [
        (["transformer.num_head=3"], 2, "transformer.num_head"),
        (["dataset=nowhere"], 2, "dataset/nowhere"),
        (["training.epochs=[["], 2, "[["),
        (["training.epochs=many"], 2, "training.epochs"),
        (["transformer.num_heads=5"], 2, "transformer.num_heads"),
        (["dataset=folder"], 2, "dataset.path"),
        (["cnn=seed"], 2, "cnn=seed is called cnn=original now."),
        (["+experiment=seed"], 2, "experiment=seed is called experiment=original now."),
        (["sweep=attention"], 2, "so it takes a plus: +sweep=attention"),
        (["hydra.sweeper.n_trials=5"], 2, "hydra.sweeper.n_trials is called sweep.n_trials here."),
        (["hydra.sweeper.params.x=1"], 2, "hydra.sweeper.params is called sweep.space here."),
        (["hydra/sweeper=optuna"], 2, "Type +sweep=NAME"),
        (["--bogus"], 2, "unrecognized arguments: --bogus; `--hydra-help` explains the options."),
        (["--cfg", "nothing"], 2, "invalid choice: 'nothing'"),
        (["training"], 2, "'training' is no command; did you mean train?"),
    ],
)
def test_bad_input_ends_with_one_line(arguments: list[str], code: int, names: str, tmp_path: Path) -> None:
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == code
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
    assert names in done.stderr
    assert not (tmp_path / "mlruns").exists()


@pytest.mark.parametrize(
    ("command", "arguments", "names"),
    [
        *[(name, ["training.epoch=3"], "training.epoch") for name in ("prepare", "label", "train", "evaluate")],
        *[(name, ["sweep=mine", "mode=3"], "mode") for name in ("report", "promote")],
        *[(name, ["+mode=3", "model=m-1"], "mode") for name in ("predict", "serve")],
        *[(name, ["prot=3"], "prot") for name in ("serve", "ui")],
        *[(name, ["port=many"], "port must be a whole number, not 'many'.") for name in ("label", "serve", "ui")],
        ("evaluate", ["model=m-1", "split=none"], "split must be one of train, validation, test, all, not 'none'."),
        ("promote", ["sweep=mine", "rule.alpha=2"], "rule.alpha must be above 0 and below 1, not 2."),
        ("report", ["sweep=mine", "report.curves=x"], "report.curves must be"),
        ("prepare", ["dataset=none"], "dataset/none"),
        ("sweep", ["nothing"], "sweep/nothing"),
        ("sweep", ["smoke", "sweep.workers=none"], "sweep.workers must be"),
    ],
)
def test_a_wrong_key_or_value_ends_every_command_alike(
    command: str, arguments: list[str], names: str, tmp_path: Path
) -> None:
    done = run(command, *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
    assert names in done.stderr


def test_a_broken_file_of_ones_own_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("defaults:\n  - config\ntraining: {epochs: [\n")
    done = run("--config-dir", str(tmp_path), "--config-name", "mine", cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("error: ") and "mine.yaml" in done.stderr


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
    assert "usage:" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "pretrained"),
    [
        (["dataset=folder", "dataset.path=x", "training.epochs=5", "dataset.image_height=32"], True),
        (["--cfg", "job", "dataset=parsasam"], True),
        (["dataset=manifest,folder", "-m"], True),
        (["dataset=folder", "training.initial_model=runs:/1/model"], True),
        (["training.epochs=5"], False),
        (["dataset=styled"], False),
        (["dataset=folder", "cnn=vgg"], False),
        (["dataset=folder", "transformer.depth=1"], False),
        (["dataset=folder", "dataset.channels=grey"], False),
        (["dataset=folder", "training=pretrain"], False),
        (["dataset=folder", "+experiment=original"], False),
        (["dataset=folder", "+sweep=attention"], False),
        (["dataset=folder", "--config-name", "best"], False),
    ],
)
def test_real_images_start_from_shipped_weights_unless_a_network_is_chosen(
    arguments: list[str], pretrained: bool
) -> None:
    added = [argument for argument in with_pretrained_network(arguments) if argument not in arguments]
    assert added == (["+experiment=pretrained"] if pretrained else [])


@pytest.mark.parametrize("arguments", [["dataset=folder", "--cfg", "job"], ["--cfg", "job", "dataset=folder"]])
def test_the_composed_configuration_shows_it(arguments: list[str], tmp_path: Path) -> None:
    done = run(*arguments, cwd=tmp_path)
    assert "initial_model: shipped" in done.stdout, done.stderr


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

"""The command that prepares a dataset."""

import subprocess
import sys
from pathlib import Path


def prepare(tmp_path: Path, *overrides: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "captcha_exp.prepare", f"root={tmp_path}", *overrides]
    return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=120)


def test_the_report_says_what_the_dataset_is(tmp_path: Path) -> None:
    done = prepare(tmp_path, "dataset=synthetic", "dataset.size=100", "dataset.min_length=5")
    assert done.returncode == 0, done.stderr
    report = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert report["images"] == "80 train, 10 validation, 10 test"
    assert report["labels"] == "100 different, of length 5 (100)"
    assert report["vocabulary"] == "0123456789 (10 characters)"
    assert report["skipped"] == "0"
    assert len(report["fingerprint"]) == 32
    assert Path(report["cache"]).parent == tmp_path / "cache"


def test_bad_input_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    done = prepare(tmp_path, "dataset=folder", f"dataset.path={tmp_path}/nowhere")
    assert done.returncode == 2
    assert done.stderr == f"error: dataset.path={tmp_path}/nowhere does not exist.\n"
    assert done.stdout == ""


def test_no_framework_is_imported_to_prepare_data(tmp_path: Path) -> None:
    script = (
        "import sys, captcha_exp.prepare, captcha_exp.dataset.worker\n"
        "from captcha_exp.dataset import sources, folder, manifest, synthetic, kaggle\n"
        "print([m for m in ('tensorflow', 'keras', 'mlflow', 'optuna', 'kagglehub', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"

"""The command that prepares a dataset."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image


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
    size = r"disk +(\d\.\d\d) GB of (\d\.\d\d) GB in .*/cache, all of which may be deleted"
    assert re.fullmatch(size, report["on"])


def test_bad_input_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    done = prepare(tmp_path, "dataset=folder", f"dataset.path={tmp_path}/nowhere")
    assert done.returncode == 2
    assert done.stderr == f"error: dataset.path={tmp_path}/nowhere does not exist.\n"
    assert done.stdout == ""


def test_no_framework_is_imported_to_prepare_data(tmp_path: Path) -> None:
    script = (
        "import sys, captcha_exp.prepare, captcha_exp.child_processes, captcha_exp.dataset.decode_images\n"
        "from captcha_exp.dataset import sources, folder, manifest, synthetic, kaggle\n"
        "print([m for m in ('tensorflow', 'keras', 'mlflow', 'optuna', 'kagglehub', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_audit_is_written_and_its_page_named(tmp_path: Path) -> None:
    done = prepare(tmp_path, "dataset=synthetic", "dataset.size=100", "dataset.expected.length=6")
    assert done.returncode == 0, done.stderr
    assert "warning      differences from what is expected: 1\n  dataset.expected.length is 6, but" in done.stdout
    page = Path(done.stdout.splitlines()[-1].removeprefix("audit        "))
    assert page.parent.parent == tmp_path / "audits"
    assert {file.name for file in page.parent.iterdir()} == {"audit.json", "index.html"}


def test_too_many_bad_files_are_audited_before_they_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    for index in range(20):
        Image.new("L", (40, 16), index).save(folder / f"{index:02d}.png")
    (folder / "99.png").write_bytes(b"")
    done = prepare(tmp_path, "dataset=folder", f"dataset.path={folder}", "dataset.max_bad_share=0.04")
    assert done.returncode == 2
    assert "warning      files that give no image: 1" in done.stdout
    assert done.stderr.startswith("error: 1 of 21 files cannot be used (4.8%): 99.png (the file is empty).")
    assert len(list(tmp_path.glob("audits/images-*/index.html"))) == 1


def test_the_audit_can_be_left_out(tmp_path: Path) -> None:
    done = prepare(tmp_path, "dataset=synthetic", "dataset.size=100", "audit=false")
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "audits").exists()


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["audit=perhaps"], "audit must be true or false, not 'perhaps'."),
        (["audit=false", "model=m-1"], "model=m-1 is for the audit, which audit=false leaves out; drop one of them."),
        (["model=nothing"], "model=nothing must be runs:/RUN/model"),
    ],
)
def test_own_keys_are_typed(tmp_path: Path, overrides: list[str], message: str) -> None:
    done = prepare(tmp_path, "dataset=synthetic", "dataset.size=100", *overrides)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {message}") and done.stderr.count("\n") == 1

"""The files of `deploy/`: their commands are ones that the package knows, and what they copy is there."""

import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from captcha_exp.config import Config

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"


def compose_file() -> dict[str, Any]:
    return dict(yaml.safe_load((DEPLOY / "docker/compose.yaml").read_text()))


def in_docker() -> list[str]:
    return [argument.replace("$$", "$") for argument in compose_file()["services"]["sweep"]["command"]]


def in_kubernetes() -> list[str]:
    job = yaml.safe_load((DEPLOY / "kubernetes/sweep.yaml").read_text())
    return list(job["spec"]["template"]["spec"]["containers"][0]["args"])


def in_slurm(tmp_path: Path) -> list[str]:
    """The arguments with which the script, run by a shell, starts the command."""
    command = tmp_path / "captcha-exp"
    command.write_text('#!/bin/sh\nfor one in "$@"; do echo "$one"; done\n')
    command.chmod(0o755)
    told = subprocess.run(
        ["bash", DEPLOY / "slurm/sweep.sbatch", "attention", "tracking.uri=http://host:5000"],
        cwd=tmp_path, env={"PATH": f"{tmp_path}:/usr/bin:/bin", "SLURM_CPUS_PER_TASK": "3"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return told.stdout.splitlines()


@pytest.mark.parametrize("where", ["docker", "kubernetes", "slurm"])
def test_the_command_of_a_worker_composes(
    where: str, compose: Callable[..., Config], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CAPTCHA_EXP_STORAGE", "postgresql+psycopg://sweep:secret@database/sweep")
    command, sweep, *overrides = {"docker": in_docker, "kubernetes": in_kubernetes}.get(
        where, lambda: in_slurm(tmp_path)
    )()
    assert (command, sweep) == ("sweep", "attention")
    config = compose(f"+sweep={sweep}", *overrides)
    assert (config.sweep.workers, config.training.threads) == (1, 3 if where == "slurm" else 2)
    assert config.sweep.storage == "postgresql+psycopg://sweep:secret@database/sweep"
    assert str(config.tracking.uri).startswith("http://")


def test_a_signal_ends_the_command_of_the_job_and_its_code_is_the_jobs(tmp_path: Path) -> None:
    command = tmp_path / "captcha-exp"
    command.write_text("#!/bin/bash\ntrap 'echo stopped; exit 143' TERM\necho begun\nsleep 60 & wait\n")
    command.chmod(0o755)
    job = subprocess.Popen(
        ["bash", DEPLOY / "slurm/sweep.sbatch", "smoke"],
        cwd=tmp_path, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert job.stdout is not None and job.stdout.readline() == "begun\n"
    job.terminate()
    assert job.stdout.readline() == "stopped\n"
    assert job.wait(30) == 143


def test_the_image_copies_what_is_there_and_nothing_hidden() -> None:
    dockerfile = (DEPLOY / "docker/Dockerfile").read_text()
    kept = (DEPLOY / "docker/Dockerfile.dockerignore").read_text().splitlines()
    copied = {source for line in re.findall(r"^COPY (.+)$", dockerfile, re.M) for source in shlex.split(line)[:-1]}
    assert copied == {line[1:] for line in kept if line.startswith("!")}
    assert all((DEPLOY.parent / source).exists() for source in copied)


def test_the_servers_of_the_compose_file_are_those_that_the_workers_ask() -> None:
    services = compose_file()["services"]
    assert any("--allowed-hosts=tracking:5000" in argument for argument in services["tracking"]["command"])
    assert "tracking.uri=http://tracking:5000" in in_docker()
    assert services["sweep"]["environment"]["CAPTCHA_EXP_STORAGE"].endswith("@database/sweep")
    assert all(port.startswith("127.0.0.1:") for port in services["tracking"]["ports"])

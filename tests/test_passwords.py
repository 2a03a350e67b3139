"""What counts as a password, and what the commands print and keep of one."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from captcha_exp.config import Config, holds_password, without_passwords

COMMAND = [sys.executable, "-m", "captcha_exp"]


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgresql+psycopg://me:secret@host:5432/db", "postgresql+psycopg://me:***@host:5432/db"),
        ("postgresql+psycopg://me:s%40c%2Fret@host/db", "postgresql+psycopg://me:***@host/db"),
        ("http://me:s@cret@host:5000/x", "http://me:***@host:5000/x"),
        ("http://me:s/cret@host", "http://me:***@host"),
        ("postgresql://me:1/secret@host/db", "postgresql://me:***@host/db"),
        ("http://me:1234@host", "http://me:***@host"),
        ("postgresql:/me:secret@host", "postgresql:/me:***@host"),
        ("redis://:secret@host", "redis://:***@host"),
        ("HTTPS://ME:SECRET@HOST", "HTTPS://ME:***@HOST"),
        ("postgresql://me:secret@[::1]:5432/db", "postgresql://me:***@[::1]:5432/db"),
        ("cannot reach http://a:b@c/d, nor http://e:f@g", "cannot reach http://a:***@c/d, nor http://e:***@g"),
        (
            "postgresql://host/db?user=me&password=secret&sslpassword=s%20t&sslmode=require",
            "postgresql://host/db?user=me&password=***&sslpassword=***&sslmode=require",
        ),
        ("MLFLOW_TRACKING_TOKEN=abc", "MLFLOW_TRACKING_TOKEN=***"),
        ("AWS_SECRET_ACCESS_KEY='a b' next", "AWS_SECRET_ACCESS_KEY=*** next"),
        ("a:\n  api_key: abc def\n  uri: x\n", "a:\n  api_key: ***\n  uri: x\n"),
    ],
)
def test_a_password_is_masked(text: str, masked: str) -> None:
    assert without_passwords(text) == masked
    assert without_passwords(masked) == masked
    assert holds_password("key", text)


@pytest.mark.parametrize(
    "text",
    [
        *("http://127.0.0.1:5000/a@b", "http://[::1]:5000/a@b", "https://host:443?x=a@b", "http://127.0.0.1:5000"),
        *("models:/captcha@champion", "sqlite:////tmp/a:b@c.db", "postgresql+psycopg://me@host/db"),
        *("postgresql://me:${oc.env:PASSWORD}@host/db", "a.token=${oc.env:TOKEN}", "transformer.key_dim=3"),
        'FATAL:  password authentication failed for user "me"',
        "token: null",
    ],
)
def test_what_is_no_password_stays(text: str) -> None:
    assert without_passwords(text) == text
    assert not holds_password("key", text)


def test_values_of_keys_with_such_names_are_masked() -> None:
    given = {"a": {"api_key": "k", "password": 12, "token": None, "secret": "${oc.env:X}"}, "uris": ["http://a:b@c"]}
    assert without_passwords(given) == {
        "a": {"api_key": "***", "password": "***", "token": None, "secret": "${oc.env:X}"},
        "uris": ["http://a:***@c"],
    }
    assert holds_password("hydra.job.env_set.MLFLOW_TRACKING_TOKEN", "abc")


def test_texts_made_to_keep_it_busy_take_seconds_at_most() -> None:
    for text in ("a.a." * 10_000, "a:/b:" * 5_000, "http://u:" * 5_000, "password" * 10_000, "\n" * 50_000):
        started = time.perf_counter()
        without_passwords(text)
        assert time.perf_counter() - started < 5


def test_a_configuration_in_a_message_shows_none(compose: Callable[..., Config]) -> None:
    config = compose("sweep.storage=postgresql://me:secretWord@host/db", "tracking.uri=http://me:secretWord@host")
    assert config.tracking.uri == "http://me:secretWord@host"
    assert "secretWord" not in repr(config)


def run(*arguments: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*COMMAND, *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=120)


def test_a_printed_configuration_shows_none(tmp_path: Path) -> None:
    typed = ["tracking.uri='http://me:secretWord@host'", "+hydra.job.env_set.MLFLOW_TRACKING_TOKEN=secretWord"]
    printed = run("--cfg", "all", "--resolve", *typed, folder=tmp_path)
    assert printed.returncode == 0, printed.stderr
    assert "uri: http://me:***@host\n" in printed.stdout
    assert "MLFLOW_TRACKING_TOKEN: ***" in printed.stdout
    assert "secretWord" not in printed.stdout + printed.stderr


def test_a_single_run_keeps_and_prints_none(tmp_path: Path) -> None:
    """Hydra has written its files by the time that the server turns out not to be there."""
    (tmp_path / "own" / "tracking").mkdir(parents=True)
    (tmp_path / "own" / "tracking" / "mine.yaml").write_text(
        "uri: http://me:secretWord@127.0.0.1:9\nexperiment: x\nrun_name: null\nlog_model: true\nsheet_images: 0\n"
        "system_metrics: false\n"
    )
    few = ["--config-dir", "own", "dataset.size=20", "dataset.validation_fraction=0.3", "dataset.test_fraction=0.2"]
    for typed in (["tracking=mine"], ["tracking.uri=http://me:secretWord@127.0.0.1:9"]):
        done = run(*few, *typed, folder=tmp_path)
        assert done.returncode == 2
        assert "error: No MLflow server answers at tracking.uri=http://127.0.0.1:9 (" in done.stderr
        assert "secretWord" not in done.stdout + done.stderr
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len([path for path in files if path.name == "hydra.yaml"]) == 2
    assert [path.name for path in files if b"secretWord" in path.read_bytes()] == ["mine.yaml"]


def test_a_password_among_other_values_is_refused(tmp_path: Path) -> None:
    done = run("tracking={uri: 'http://me:secretWord@host'}", folder=tmp_path)
    assert done.returncode == 2
    assert (
        done.stderr
        == "error: tracking holds a password among other values; set its key by itself: `tracking.KEY=...`.\n"
    )

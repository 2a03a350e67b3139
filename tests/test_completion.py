"""Completion with the Tab key, in a real bash at a real terminal."""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from captcha_exp.commands import COMMANDS
from captcha_exp.completion import completions
from tests.test_front_door import ENTRY

WAIT_S = 60


class Terminal:
    """A bash at a terminal, in which `captcha-exp` is this program."""

    def __init__(self, folder: Path, setup: str = "") -> None:
        program = folder / "bin" / "captcha-exp"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{ENTRY}" "$@"\n')
        program.chmod(0o755)
        self._end, theirs = pty.openpty()
        environment = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", "PS1": "ready> ", "TERM": "dumb"}
        environment["PYTHONPATH"] = str(Path(__file__).resolve().parents[1])
        command = ["bash", "--norc", "--noprofile", "-i"]
        self._bash = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=environment, start_new_session=True
        )
        os.close(theirs)
        self.until("ready> ")
        self.type(f'bind "set bell-style none"; {setup}eval "$(captcha-exp completion bash)"; echo s""et\n')
        self.until("set\r\nready> ")

    def type(self, text: str) -> None:
        os.write(self._end, text.encode())

    def until(self, wanted: str) -> str:
        """What is shown, until it holds `wanted`."""
        shown, deadline = "", time.monotonic() + WAIT_S
        while wanted not in shown:
            assert time.monotonic() < deadline, repr(shown)
            if select.select([self._end], [], [], 0.2)[0]:
                shown += os.read(self._end, 65536).decode()
        return shown

    def completed(self, typed: str) -> str:
        """The line that Tab makes of what is typed, up to the mark that is typed after it."""
        self.type(f"\x15: {typed}".replace(": captcha-exp", "captcha-exp") + "\t" + "#")
        line = self.until("#").rpartition("captcha-exp ")[2].rpartition("#")[0]
        self.type("\x15")
        return re.sub(r"[\x07\x08]", "", line)

    def close(self) -> None:
        self._bash.kill()
        self._bash.wait()
        os.close(self._end)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    if shutil.which("bash") is None:
        pytest.skip("needs bash")
    opened = Terminal(tmp_path)
    yield opened
    opened.close()


def test_tab_completes_commands_sweeps_keys_choices_and_files(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "my_images").mkdir()
    for typed, line in {
        "captcha-exp tra": "train ",
        "captcha-exp sweep att": "sweep attention ",
        "captcha-exp train cnn=resi": "train cnn=residual ",
        "captcha-exp train training.unal": "train training.unaltered_share=",
        "captcha-exp optimizer.learn": "optimizer.learning_rate=",
        "captcha-exp serve limits.req": "serve limits.requests_per_second=",
        "captcha-exp train dataset=folder dataset.path=my_i": "train dataset=folder dataset.path=my_images/",
        "captcha-exp predict model=models:/captcha@champion my_i": "predict model=models:/captcha@champion my_images/",
    }.items():
        assert terminal.completed(typed) == line, typed


def test_it_also_completes_where_an_equals_sign_is_no_end_of_a_word(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "COMP_WORDBREAKS=${COMP_WORDBREAKS//=}; ")
    try:
        assert terminal.completed("captcha-exp train cnn=resi") == "train cnn=residual "
    finally:
        terminal.close()


def test_the_first_word_can_be_every_command() -> None:
    assert completions("captcha-exp ") == list(COMMANDS)
    assert completions("captcha-exp pre") == ["prepare", "predict"]


def test_a_command_is_offered_only_what_it_takes() -> None:
    assert "dataset=" in completions("captcha-exp evaluate ")
    offered = completions("captcha-exp serve ")
    assert {"model=", "port=", "limits."} <= set(offered)
    assert not {"dataset=", "training=", "base/", "sweep="} & set(offered)
    assert not [one for one in offered if one.startswith("hydra")]
    assert "cnn.blocks=" in completions("captcha-exp train cnn=residual cnn.")
    assert "cnn.blocks=" not in completions("captcha-exp train cnn=compact cnn.")


def test_sweeps_that_have_begun_are_offered_to_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sweeps" / "mine").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert completions("captcha-exp report ") == ["mine"]
    assert "sweep.n_trials=" in completions("captcha-exp sweep attention sweep.")

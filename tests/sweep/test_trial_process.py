"""Telling dead processes from living ones."""

import subprocess
import sys

from captcha_exp.sweep.trial_process import is_dead, this_process

PRINT = """
import json
from captcha_exp.sweep.trial_process import this_process
print(json.dumps(this_process()), flush=True)
"""


def test_a_living_process_is_not_dead() -> None:
    assert not is_dead(this_process())


def test_an_ended_process_is_dead_even_as_a_zombie() -> None:
    import json

    child = subprocess.Popen([sys.executable, "-c", PRINT + "input()"], stdin=-1, stdout=-1, text=True)
    process = json.loads(child.stdout.readline())  # type: ignore[union-attr]
    assert not is_dead(process)
    child.kill()
    while not is_dead(process):
        pass  # not waited for yet: a zombie
    child.wait()
    assert is_dead(process)


def test_another_process_with_the_same_id_is_not_taken_for_it() -> None:
    assert is_dead({**this_process(), "started": "1"})


def test_a_process_of_another_machine_is_never_known_to_be_dead() -> None:
    assert not is_dead({**this_process(), "host": "elsewhere", "started": "1"})

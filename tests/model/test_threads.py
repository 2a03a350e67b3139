"""The number of threads of a process."""

import os
from pathlib import Path

from tests.warm_processes import WarmProcess

SCRIPT = """
import tensorflow as tf
from captcha_exp.errors import InputError
from captcha_exp.model.threads import configure_threads
configure_threads(1)
tf.constant(1) + 1
configure_threads(1)
configure_threads(None)
assert tf.config.threading.get_intra_op_parallelism_threads() == 1
try:
    configure_threads(2)
except InputError as error:
    print(error)
"""


def test_threads_are_set_once_per_process(tmp_path: Path) -> None:
    """A worker runs many trials in one process: the same number again is fine, another one is refused."""
    (tmp_path / "script.py").write_text(SCRIPT)
    process = WarmProcess([str(tmp_path / "script.py")], tmp_path, os.environ)
    out, err = process.communicate(120)
    assert process.returncode == 0, err
    assert out.startswith("training.threads is 2, but this process already computes with another number")

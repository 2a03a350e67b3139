"""The number of threads of a process."""

import subprocess
import sys

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


def test_threads_are_set_once_per_process() -> None:
    """A worker runs many trials in one process: the same number again is fine, another one is refused."""
    finished = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=120)
    assert finished.stdout.startswith("training.threads is 2, but this process already computes with another number")

"""What commands import, for `warm_processes`."""

# ruff: noqa: F401
import gc
import os

from captcha_exp.terminal import quiet_stderr

# What the process that forks got from the test that happened to start it. Imports add more.
STARTED_WITH = frozenset(os.environ)

with quiet_stderr():
    import alembic.command
    import pandas

    import captcha_exp.experiment.training_stages
    import captcha_exp.promote.contest
    import captcha_exp.sweep
    import captcha_exp.training
    import tests.warm_children

# Else each forked process looks through a million objects that are here to stay, and so copies their memory.
gc.collect()
gc.freeze()

"""What commands import, for `warm_processes`."""

import os

from captcha_exp.terminal import quiet_stderr

# What the process that forks got from the test that happened to start it. Imports add more.
STARTED_WITH = frozenset(os.environ)

with quiet_stderr():
    import captcha_exp.experiment.training_stages
    import captcha_exp.promote.contest
    import captcha_exp.sweep
    import captcha_exp.training  # noqa: F401

"""Promotes or rolls back, and waits at one step for its end; run by `killed_at` with the names used here."""

import time
from pathlib import Path

from captcha_exp.config import TrackingConfig
from captcha_exp.promote import promotion_steps, roll_back, run_steps
from captcha_exp.promote.exclusive import exclusive
from captcha_exp.tracking import Registry, open_store

known = globals()
store = open_store(TrackingConfig(None, known["experiment"], None, True, 0), Path(known["root"]))
registry = Registry(store, known["experiment"])


def wait_at(step: str) -> None:
    """Tell that the step is reached, and go no further."""
    if step == known["step"]:
        known["reached"].send(step)
        time.sleep(600)


if known.get("claims"):
    from dataclasses import replace

    with exclusive(replace(store, lock_file=None), registry, Path(known["claims"]), print):
        wait_at("holding")
with exclusive(store, registry, Path(known["root"]) / "claims", print):
    if known.get("rollback"):
        roll_back(registry, wait_at)
    else:
        registry.finish_move()
        steps = promotion_steps(
            registry, known["model_id"], known["run_id"], {"sweep": "s"}, promoted=known["promoted"]
        )
        run_steps(steps, wait_at)

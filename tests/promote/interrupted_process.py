"""Promotes or rolls back, and waits at one step for its end; run by `killed_at` with the names used here."""

import time
from dataclasses import replace
from pathlib import Path

from captcha_exp.promote.exclusive import exclusive
from captcha_exp.tracking import Registry, open_store
from tests.promote.commands import go_back, promote_model
from tests.tracking_choice import tracked_in

known = globals()
root = Path(known["root"])
tracking = tracked_in(known["experiment"], known["uri"])
store = open_store(tracking, root)
registry = Registry(store, known["experiment"])
claims = Path(known.get("claims") or root / "claims")


def wait_at(step: str) -> None:
    """Tell that the step is reached, and go no further."""
    if step == known["step"]:
        known["reached"].send(step)
        time.sleep(600)


if known["step"] == "holding":
    with exclusive(replace(store, lock_file=None), registry, claims):
        wait_at("holding")
elif known.get("rollback"):
    go_back(store, registry, claims, wait_at)
else:
    promote_model(store, registry, claims, (known["model_id"], known["run_id"]), wait_at, promoted=known["promoted"])

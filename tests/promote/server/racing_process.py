"""Promotes or rolls back a little after the others of its race; run by `race` with the names used here."""

import time
from pathlib import Path

from captcha_exp.errors import InputError
from captcha_exp.tracking import Registry, open_store
from tests.promote.commands import go_back, promote_model
from tests.tracking_choice import tracked_in

known = globals()
store = open_store(tracked_in(known["experiment"], known["uri"]), Path(known["root"]))
registry = Registry(store, known["name"])
claims = Path(known["claims"])
known["gate"].wait()
time.sleep(known["delay_s"])
try:
    if known["model"] is None:
        go_back(store, registry, claims)
    else:
        promote_model(store, registry, claims, known["model"])
    known["told"].send("done")
except InputError as error:
    known["told"].send(str(error))

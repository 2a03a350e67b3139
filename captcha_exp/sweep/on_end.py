"""Tells the end of a sweep to a command or an address of the user's."""

import json
import os
import shlex
import subprocess
import urllib.error
import urllib.request
from typing import Any

from optuna.trial import FrozenTrial

from captcha_exp.config import ObjectiveConfig, without_passwords
from captcha_exp.errors import first_line
from captcha_exp.foreign_text import visible
from captcha_exp.sweep.job_trial import trial_name
from captcha_exp.sweep.storage import RUN_ID
from captcha_exp.terminal import complain

_COMMAND_S, _ANSWER_S = 60, 15
_ADDRESSES = ("http://", "https://")


def end_message(name: str, reason: str, best: FrozenTrial | None, objectives: list[ObjectiveConfig]) -> dict[str, Any]:
    """What is told: `sweep`, `reason`, and `best` (trial, run id, values and parameters; None if nothing finished)."""
    told = None
    if best is not None:
        told = {
            "trial": trial_name(best.number),
            "run_id": best.user_attrs.get(RUN_ID),
            "values": dict(zip((objective.metric for objective in objectives), best.values, strict=True)),
            "params": best.params,
        }
    return {"sweep": name, "reason": reason, "best": told}


def tell_end(on_end: str, message: dict[str, Any]) -> None:
    """Send the message to an address, or run a command with it. If that fails, one line says so, and no more happens.

    Args:
        on_end: an address that gets the message as JSON by POST, or a command. No shell reads the command, and nothing
            of the message becomes part of it: it gets the JSON on standard input, and the values in its environment as
            CAPTCHA_EXP_SWEEP, CAPTCHA_EXP_REASON, CAPTCHA_EXP_BEST_TRIAL and CAPTCHA_EXP_BEST_VALUE.
        message: from `end_message`.
    """
    body = json.dumps(message, default=str).encode()
    try:
        if on_end.startswith(_ADDRESSES):
            _post(on_end, body)
        else:
            _run(on_end, body, message)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        reason = without_passwords(visible(first_line(error)))
        complain(f"sweep.on_end could not be told: {reason}. The sweep itself is as it says above.")


def _post(address: str, body: bytes) -> None:
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=_ANSWER_S):
        pass


def _run(command: str, body: bytes, message: dict[str, Any]) -> None:
    best = message["best"] or {"trial": "", "values": {"": ""}}
    values = {
        "CAPTCHA_EXP_SWEEP": message["sweep"],
        "CAPTCHA_EXP_REASON": message["reason"],
        "CAPTCHA_EXP_BEST_TRIAL": best["trial"],
        "CAPTCHA_EXP_BEST_VALUE": next(iter(best["values"].values())),
    }
    environment = {**os.environ, **{key: visible(str(value)) for key, value in values.items()}}
    done = subprocess.run(shlex.split(command), input=body, env=environment, timeout=_COMMAND_S, check=False)
    if done.returncode != 0:
        raise OSError(f"the command ended with exit code {done.returncode}")

"""The search that would follow: the keys that hardly matter fixed, the others searched on."""

import shlex
import sys
from collections.abc import Collection
from itertools import count
from pathlib import Path

from optuna.study import StudyDirection

from captcha_exp.config import Direction, without_passwords
from captcha_exp.sweep.key_importance import Importance, measure_importance
from captcha_exp.sweep.live_view import best_trials
from captcha_exp.sweep.plan import DEAF, SweepPlan
from captcha_exp.sweep.tally import Tally

NEXT_SEARCH = "next_search.txt"
_FEWEST = 10  # trials; fewer do not tell which key matters
_PROGRAM = "captcha-exp"


def next_search(plan: SweepPlan, tally: Tally) -> tuple[list[str], str] | None:
    """The keys that hardly matter, and the command that searches the others on from what is known.

    A key hardly matters if its share of the difference between trials is less than half an even share, whichever part
    of the trials counts as good. None if there is no such key, or too few trials tell.
    """
    best = best_trials(tally, plan.config.sweep.objectives)
    maximize = plan.config.sweep.objectives[0].direction is Direction.maximize
    importance = measure_importance(tally, StudyDirection.MAXIMIZE if maximize else StudyDirection.MINIMIZE)
    idle = [key for key in hardly_matter(importance) if best and key in best[0].params]
    if not idle or len(idle) == len(plan.space.parameters):
        return None
    fixed = plan.space.overrides({key: best[0].params[key] for key in idle})
    again = [f"sweep.name={_free_name(plan)}"]
    if plan.config.sweep.sampler.kind not in DEAF:
        again.append(f"sweep.warm_start=[{plan.name}]")
    return idle, typed_command(drop={"sweep.name", "sweep.warm_start", *idle}, add=[*again, *fixed])


def next_command(folder: Path) -> str | None:
    """The command that the sweep in `folder` left; None if it left none."""
    file = folder / NEXT_SEARCH
    return file.read_text(encoding="utf-8").strip() if file.is_file() else None


def hardly_matter(importance: Importance) -> list[str]:
    """Keys whose share is small for every definition of a good trial."""
    shares = importance.shares
    if importance.trials < _FEWEST or len(shares) < 2:
        return []
    return [key for key, share in shares.items() if share.high < 0.5 / len(shares)]


def typed_command(drop: Collection[str] = (), add: Collection[str] = ()) -> str:
    """What the user typed to start this process, without the keys `drop`, and with the arguments `add`."""
    first, *rest = sys.orig_argv[1:]
    start = [_PROGRAM] if Path(first).name == _PROGRAM else ["python", first]
    if first == "-m":
        start, rest = ["python", *sys.orig_argv[1:3]], rest[1:]
    kept = [without_passwords(argument) for argument in rest if argument.lstrip("+~").partition("=")[0] not in drop]
    return shlex.join([*start, *kept, *add])


def _free_name(plan: SweepPlan) -> str:
    """The sweep's name with a number behind it that no sweep in this folder has."""
    names = (f"{plan.name}-{number}" for number in count(2))
    return next(name for name in names if not (plan.folder.parent / name).exists())

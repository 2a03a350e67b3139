"""Draw the live view of a finished sweep as it looked while running: `python -m benchmarks.sweep_picture NAME SVG`."""

import io
import re
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import optuna
from hydra.core.override_parser.overrides_parser import OverridesParser
from optuna.trial import FrozenTrial, TrialState, create_trial
from rich.console import Console
from rich.terminal_theme import MONOKAI

from benchmarks.inputs import composed
from captcha_exp.sweep import SweepPlan, plan_sweep
from captcha_exp.sweep.live_view import View
from captcha_exp.sweep.storage import PROCESS
from captcha_exp.sweep.tally import Tally

_WIDTH = 116
_MOMENT = 0.6


def main() -> int:
    """Draw the sweep with that name in this folder."""
    name, target = sys.argv[1], Path(sys.argv[2])
    study = optuna.load_study(study_name=name, storage=f"sqlite:///sweeps/{name}/study.db")
    trials = study.get_trials(deepcopy=False)
    moment = _moment(trials)
    console = Console(record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True, highlight=False)
    console.print(f"$ python -m captcha_exp +sweep={name}", style="bold")
    console.print(View(_plan(name), console, lambda: moment)._table(Tally(_as_of(trials, moment))))
    # Rich links to fonts on the internet, but a page that shows the picture should not load them.
    drawn = re.sub(r"@font-face \{.*?\}", "", console.export_svg(title=f"sweep {name}", theme=MONOKAI), flags=re.DOTALL)
    target.write_text(drawn)
    return 0


def _plan(name: str) -> SweepPlan:
    config = composed(f"+sweep={name}")
    return plan_sweep(
        config, [], OverridesParser.create(), {"cnn": "compact", "transformer": "pre_norm"}, lambda _: config
    )


def _moment(trials: Sequence[FrozenTrial]) -> datetime:
    begun = [trial.datetime_start for trial in trials if trial.datetime_start is not None]
    ended = [trial.datetime_complete for trial in trials if trial.datetime_complete is not None]
    return min(begun) + _MOMENT * (max(ended) - min(begun))


def _as_of(trials: Sequence[FrozenTrial], moment: datetime) -> list[FrozenTrial]:
    """The trials as they were at `moment`. Running trials are assumed to have steady epochs."""
    seen = []
    for trial in trials:
        if trial.datetime_start is None or trial.datetime_start > moment:
            continue
        if trial.datetime_complete is None or trial.datetime_complete > moment:
            seen.append(_running(trial, moment))
        else:
            seen.append(trial)
    return seen


def _running(trial: FrozenTrial, moment: datetime) -> FrozenTrial:
    if trial.datetime_start is None or trial.datetime_complete is None:
        return trial
    share = (moment - trial.datetime_start) / (trial.datetime_complete - trial.datetime_start)
    steps = sorted(trial.intermediate_values)
    kept = steps[: int(share * len(steps))]
    running = create_trial(
        state=TrialState.RUNNING,
        params=trial.params,
        distributions=trial.distributions,
        intermediate_values={step: trial.intermediate_values[step] for step in kept},
        user_attrs={PROCESS: {}},
    )
    running.number, running.datetime_start = trial.number, trial.datetime_start
    return running


if __name__ == "__main__":
    sys.exit(main())

"""Estimates how long a sweep will still take, from what its trials ran so far and what runs now."""

from collections.abc import Sequence
from datetime import datetime

from optuna.trial import FrozenTrial

from captcha_exp.config import Config, PrunerKind
from captcha_exp.sweep.halving import PausingHalving
from captcha_exp.sweep.samplers import build_pruner
from captcha_exp.sweep.tally import Tally, TrialOutcome, epochs_run, seconds_run

# The share of its epochs that a trial runs where a pruner may end it, as measured in earlier sweeps. It counts like so
# many trials of this sweep, because the first of them are never pruned and would promise a long sweep.
_USUAL_SHARE, _WEIGHT = 0.55, 3


def seconds_left(tally: Tally, config: Config, n_trials: int, now: datetime) -> float | None:
    """Seconds until the last trial will probably have ended; None if no trial has ended, or none is missing.

    Args:
        tally: the trials so far.
        config: the sweep's configuration.
        n_trials: how many trials there will be.
        now: this moment, in the clock of the trials.
    """
    missing = n_trials - len(tally.ended)
    pauses = config.sweep.prunes and config.sweep.pruner.kind == PrunerKind.asha
    pruner = build_pruner(config.sweep, config.training.epochs or 0) if pauses else None
    if missing > 0 and isinstance(pruner, PausingHalving):
        return _left_of_halving(tally, pruner, config, n_trials, now)
    took = [seconds_run(trial, now) for trial in tally.ended]
    if missing <= 0 or not any(took):
        return None
    parallel = max(1, min(missing, len(tally.running) or config.sweep.workers))
    epochs = sum(map(epochs_run, tally.ended))
    if epochs == 0 or config.training.epochs is None:  # the trials last some minutes, or do not tell their epochs
        mean = sum(took) / len(took)
        begun = sum(min(mean, seconds_run(trial, now)) for trial in tally.running)
        return max(0.0, (mean * missing - begun) / parallel)
    seconds_per_epoch = sum(took) / epochs
    open_epochs, usual = _open_epochs(tally, config, missing)
    # At the end some workers have nothing left to do, on average for half a trial.
    alone = usual * (parallel - 1) / 2
    return seconds_per_epoch * (open_epochs + alone) / parallel


def _left_of_halving(
    tally: Tally, halving: PausingHalving, config: Config, n_trials: int, now: datetime
) -> float | None:
    trials = [trial for trial in tally.trials if tally.outcome(trial) is not TrialOutcome.lost]
    done = sum(map(epochs_run, trials))
    if not done or len(trials) == len(tally.running):
        return None
    # More may go on than should, because nobody waits for the better ones. This much is sure:
    sure = (n_trials - len(trials)) * halving.epochs_to_pause(0)
    sure += sum(halving.epochs_to_pause(epochs_run(trial)) for trial in tally.running)
    left = max(sure, halving.epochs_of(n_trials) - done)
    return left * sum(seconds_run(trial, now) for trial in trials) / done / config.sweep.workers


def _open_epochs(tally: Tally, config: Config, missing: int) -> tuple[float, float]:
    """The epochs that all trials will probably still run, and those of one trial that has not begun."""
    planned = _planned(tally, config)
    share, pruning = _share(tally, config), config.sweep.prunes
    finished = len(tally.of(TrialOutcome.finished))
    spared = max(0, config.sweep.pruner.n_startup_trials - finished) if pruning else 0  # run to their end
    running = sorted(tally.running, key=lambda trial: trial.number)
    left = sum(planned - epochs_run(trial) for trial in running[:spared])
    left += sum(_rest(trial, tally, share * planned, planned) for trial in running[spared:])
    waiting = missing - len(running)
    whole = min(waiting, max(0, spared - len(running)))
    return left + whole * planned + (waiting - whole) * share * planned, share * planned


def _share(tally: Tally, config: Config) -> float:
    """The share of its epochs that a trial runs on average, of those that the pruner could end."""
    pruner = config.sweep.pruner
    if not config.sweep.prunes or config.sweep.repeats > 1:
        judged, known = [trial for trial in tally.ended if epochs_run(trial)], 0
    else:
        judged, known = _judged(tally, pruner.n_startup_trials), _WEIGHT
    shares = [min(1.0, epochs_run(trial) / (planned_epochs(trial, config) or 1)) for trial in judged]
    return (known * _USUAL_SHARE + sum(shares)) / (known + len(shares)) if known or shares else 1.0


def _judged(tally: Tally, startup: int) -> list[FrozenTrial]:
    """Trials that ended after so many others had finished that they could be pruned."""
    finished = [trial.datetime_complete for trial in tally.of(TrialOutcome.finished) if trial.datetime_complete]
    return [
        trial
        for trial in tally.of(TrialOutcome.finished, TrialOutcome.pruned)
        if epochs_run(trial)
        and sum(end < trial.datetime_complete for end in finished if trial.datetime_complete) >= startup
    ]


def _rest(trial: FrozenTrial, tally: Tally, usual: float, planned: float) -> float:
    """The epochs that a running trial will probably still run: as many as those that came as far as it did."""
    done = epochs_run(trial)
    if not done:
        return usual
    later = [epochs_run(t) - done for t in tally.of(TrialOutcome.pruned, TrialOutcome.finished) if epochs_run(t) > done]
    return sum(later) / len(later) if later else max(0.0, planned - done)


def _planned(tally: Tally, config: Config) -> float:
    """The epochs of a trial that is not ended early, on average where they are searched."""
    seen: Sequence[int] = [(planned_epochs(trial, config) or 1) for trial in tally.trials if trial.params]
    return sum(seen) / len(seen) if seen else float((config.training.epochs or 0) * config.sweep.repeats)


def planned_epochs(trial: FrozenTrial, config: Config) -> int | None:
    """The most epochs of a trial in all its repeats; None if it lasts some minutes."""
    epochs = trial.params.get("training.epochs", config.training.epochs)
    return None if epochs is None else int(epochs) * config.sweep.repeats

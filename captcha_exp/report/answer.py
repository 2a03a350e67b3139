"""A sweep's answer to its question, in two sentences."""

from scipy.stats import binomtest

from captcha_exp.report.charts import short, shown_metric
from captcha_exp.report.sweep_facts import ACCURACY, SweepFacts
from captcha_exp.report.wrong_reads import WrongReads
from captcha_exp.sweep.study_facts import ReadTrial
from captcha_exp.sweep.tally import TrialOutcome

_CLOSE = 0.95


def answer(facts: SweepFacts, reads: WrongReads | None) -> list[str]:
    """Name the best configuration, and say how much depends on it. One sentence if no trial finished."""
    best = facts.sweep.best
    infeasible = facts.sweep.of(TrialOutcome.infeasible)
    if not best and infeasible:
        first = f"{infeasible[0].name}: {infeasible[0].reason}"
        return [f"No trial keeps to the limits of the search, so there is no answer ({first})."]
    if not best:
        return ["No trial has finished, so there is no answer yet.", *_so_far(facts)]
    if facts.sweep.unread is not None:
        return [f"{facts.sweep.unread[0].upper()}{facts.sweep.unread[1:]}."]
    chosen = ", ".join(f"{key} {short(value)}" for key, value in best[0].params.items())
    reached = _reached(facts, best[0])
    first = f"{reached} with {chosen} ({best[0].name}), the best of {_counted(len(best), 'finished trial')}."
    second = "; ".join(filter(None, [_weight(facts), _rivals(facts, reads)]))
    return [first, f"{second}."] if second else [first]


def rivals(facts: SweepFacts, images: int) -> list[ReadTrial]:
    """Finished trials that may be as good as the best one: `images` images are too few to separate them, at 95 %.

    Source:
        Wilson's interval of the best trial's share of right texts.
    """
    accuracies = [(trial, facts.metric_of(trial, ACCURACY)) for trial in facts.sweep.best]
    highest = max((a for _, a in accuracies if a is not None), default=None)
    if highest is None:
        return []
    interval = binomtest(round(highest * images), images).proportion_ci(_CLOSE, method="wilson")
    return [trial for trial, accuracy in accuracies if accuracy is not None and accuracy >= interval.low]


def _reached(facts: SweepFacts, trial: ReadTrial) -> str:
    value = shown_metric(facts.metric, trial.values[0]) + told_spread(facts, trial)
    if facts.metric == ACCURACY:
        return f"{value} of the validation texts are read right"
    return f"{facts.metric} is {value}"


def _so_far(facts: SweepFacts) -> list[str]:
    """The trial that was best at any of its epochs, of those that are paused or still run; none if there is none."""
    objective = facts.sweep.objectives[0]
    begun = [trial for trial in facts.sweep.of(TrialOutcome.paused, TrialOutcome.running) if trial.curve]
    if not begun:
        return []
    best = min(begun, key=lambda t: min(objective.rank(value, None, t.number) for value in t.curve.values()))
    value = shown_metric(facts.metric, best.curve[max(best.curve)])
    chosen = ", ".join(f"{key} {short(value)}" for key, value in best.params.items())
    of = f" of {facts.sweep.epochs}" if facts.sweep.epochs and "training.epochs" not in best.params else ""
    return [f"The best so far is {best.name}, {best.outcome.name} at epoch {best.epochs}{of} with {value}: {chosen}."]


def told_spread(facts: SweepFacts, trial: ReadTrial) -> str:
    """What a value is the mean of; empty if it is no mean."""
    if trial.std is None:
        return ""
    return f" (± {shown_metric(facts.metric, trial.std)}, the mean of {len(trial.repeats)} repeats)"


def _weight(facts: SweepFacts) -> str:
    importance = facts.sweep.importance
    if not importance.shares:
        return ""
    seen = f"{importance.trials} trials" + (f" after epoch {importance.epoch}" if importance.epoch is not None else "")
    if importance.paused:
        seen = f"the {importance.trials} trials, compared by how far they came,"
    key = importance.foremost
    if key is None:
        return f"Among {seen} no single key stands out"
    return f"Among {seen} {key} makes the greatest difference ({importance.shares[key].mean:.0%} of it)"


def _rivals(facts: SweepFacts, reads: WrongReads | None) -> str:
    if reads is None or len(facts.sweep.best) < 2:
        return ""
    close = len(rivals(facts, reads.images)) - 1
    if not close:
        return f"no other finished trial is close to it on {reads.images} validation images"
    return (
        f"{_counted(close, 'other finished trial')} may be just as good: {reads.images} validation images are too "
        f"few to show a difference, because each is worth {1 / reads.images:.2%}"
    )


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"

"""Decides whether a challenger replaces the champion, by a rule that is fixed beforehand."""

from dataclasses import dataclass, replace

from captcha_exp.config import LimitsConfig, RuleConfig
from captcha_exp.dataset import PreparedDataset
from captcha_exp.metrics.comparison import Comparison, compare
from captcha_exp.metrics.intervals import LEVEL, share_interval
from captcha_exp.promote.judgement import Judged

# One text in ten. A model that guesses from the labels' shares never reads more than one text for all images would.
_LEAST = 0.1


@dataclass(frozen=True)
class Verdict:
    """The decision, its reasons in lines, and the comparison (None if there was no champion).

    `forced_by` is the user who promoted against the rule, and `forced_why` that user's reason. Otherwise both are None.
    """

    promoted: bool
    reasons: list[str]
    comparison: Comparison | None
    forced_by: str | None = None
    forced_why: str | None = None

    @property
    def name(self) -> str:
        """The decision in words."""
        if self.forced_by is not None:
            return "promoted by force"
        return "promoted" if self.promoted else "not promoted"


@dataclass(frozen=True)
class Judgement:
    """The result of a contest: the data, the challenger's figures on its test split, and the verdict."""

    dataset: PreparedDataset
    challenger: Judged
    verdict: Verdict


def decide(challenger: Judged, champion: Judged | None, rule: RuleConfig, limits: LimitsConfig) -> Verdict:
    """Apply limits and rule.

    If there is no champion, the limits decide, and the challenger must surely read more than nothing (see `_floor`).

    Args:
        challenger: the new model.
        champion: the model in use, on the same images; None if there is none.
        rule: when the challenger is better.
        limits: what it may not exceed.
    """
    exceeded = _exceeded(challenger.metrics, limits)
    if champion is None:
        return _first(challenger, exceeded, limits)
    found = compare(challenger.right, champion.right, rule.alpha, rule.resamples, rule.seed)
    missed = _missed(found, rule)
    told = [_told(found, rule), *(missed or ["better by the rule"]), *exceeded]
    return Verdict(not missed and not exceeded, told, found)


def forced(verdict: Verdict, user: str, reason: str) -> Verdict:
    """The same verdict, but the challenger is promoted because `user` wants it. A promotion needs no force."""
    if verdict.promoted:
        return verdict
    told = [*verdict.reasons, f"forced by {user}: {reason}"]
    return replace(verdict, promoted=True, reasons=told, forced_by=user, forced_why=reason)


def _first(challenger: Judged, exceeded: list[str], limits: LimitsConfig) -> Verdict:
    """The verdict about a challenger without an opponent."""
    images = len(challenger.right)
    low = share_interval(sum(challenger.right), images).low
    floor, what = _floor(challenger, limits)
    begins = f"the {LEVEL:.0%} interval of the accuracy on {images} test images begins at {low:.4f}"
    if low > floor:
        good = f"no champion yet, and within all limits; {begins}, above {what}, {floor:.4f}"
        return Verdict(not exceeded, exceeded or [good], None)
    bad = (
        f"{begins}, not above {what}, {floor:.4f}: train longer, hold out more test images, or give a reason to force="
    )
    return Verdict(False, [*exceeded, bad], None)


def _floor(challenger: Judged, limits: LimitsConfig) -> tuple[float, str]:
    """What the accuracy of a first champion must surely be above, and that in words."""
    least = _LEAST if limits.min_accuracy is None else 0.0
    if challenger.constant >= least:
        return challenger.constant, "what one text for all images reaches"
    return least, "the least for a first champion"


def _missed(found: Comparison, rule: RuleConfig) -> list[str]:
    """The parts of the rule that are not met, in words."""
    if found.difference <= 0:
        return ["the challenger is not ahead"]
    missed = []
    if found.p_value > rule.alpha:
        differing = found.only_first + found.only_second
        missed.append(
            f"McNemar's exact p-value {found.p_value:.4g} is above rule.alpha={rule.alpha}: on the {differing} images "
            "where the two models differ, the result may be chance"
        )
    if found.interval.low < rule.min_difference:
        missed.append(
            f"the interval of the difference begins at {found.interval.low:+.4f}, "
            f"below rule.min_difference={rule.min_difference}"
        )
    return missed


def _told(found: Comparison, rule: RuleConfig) -> str:
    return (
        f"difference {found.difference:+.4f} on {found.images} test images ({1 - rule.alpha:.0%} bootstrap interval "
        f"{found.interval.low:+.4f} to {found.interval.high:+.4f}); only the challenger right: {found.only_first}, "
        f"only the champion: {found.only_second}; McNemar's exact p = {found.p_value:.4g}"
    )


def _exceeded(metrics: dict[str, float], limits: LimitsConfig) -> list[str]:
    """The limits that the figures exceed, in words."""
    exceeded = []
    if limits.min_accuracy is not None and metrics["sequence_accuracy"] < limits.min_accuracy:
        value = metrics["sequence_accuracy"]
        exceeded.append(f"sequence accuracy {value:.4f} is below limits.min_accuracy={limits.min_accuracy}")
    if limits.latency_ms is not None and metrics["latency_ms"] > limits.latency_ms:
        exceeded.append(f"latency {metrics['latency_ms']:.2f} ms is above limits.latency_ms={limits.latency_ms}")
    if limits.parameters is not None and metrics["parameters"] > limits.parameters:
        exceeded.append(f"{metrics['parameters']:,.0f} parameters are above limits.parameters={limits.parameters:,}")
    if limits.robustness_drop is not None and metrics["robustness/drop"] > limits.robustness_drop:
        drop = metrics["robustness/drop"]
        exceeded.append(f"altered images cost {drop:.4f}, above limits.robustness_drop={limits.robustness_drop}")
    return exceeded

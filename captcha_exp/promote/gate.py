"""Decides whether a challenger replaces the champion, by a rule that is fixed beforehand."""

from dataclasses import dataclass

from captcha_exp.config import LimitsConfig, RuleConfig
from captcha_exp.metrics.comparison import Comparison, compare
from captcha_exp.promote.judgement import Judged


@dataclass(frozen=True)
class Verdict:
    """The decision, its reasons in lines, and the comparison (None if there was no champion)."""

    promoted: bool
    reasons: list[str]
    comparison: Comparison | None


def decide(challenger: Judged, champion: Judged | None, rule: RuleConfig, limits: LimitsConfig) -> Verdict:
    """Apply limits and rule.

    If there is no champion, the limits alone decide.

    Args:
        challenger: the new model.
        champion: the model in use, on the same images; None if there is none.
        rule: when the challenger is better.
        limits: what it may not exceed.
    """
    exceeded = _exceeded(challenger.metrics, limits)
    if champion is None:
        return Verdict(not exceeded, exceeded or ["no champion yet, and within all limits"], None)
    found = compare(challenger.right, champion.right, rule.alpha, rule.resamples, rule.seed)
    missed = _missed(found, rule)
    told = [_told(found, rule), *(missed or ["better by the rule"]), *exceeded]
    return Verdict(not missed and not exceeded, told, found)


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

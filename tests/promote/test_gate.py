"""The rule that was stated before decides."""

import pytest

from captcha_exp.config import LimitsConfig, RuleConfig
from captcha_exp.promote.gate import decide
from captcha_exp.promote.judgement import Judged


def limits(**given: float) -> LimitsConfig:
    return LimitsConfig(**(dict.fromkeys(LimitsConfig.model_fields) | given))


NO_LIMITS = limits()
FIGURES = {"sequence_accuracy": 0.5, "latency_ms": 3.0, "parameters": 1000.0, "robustness/drop": 0.2}


def rule(alpha: float = 0.05, min_difference: float = 0.0) -> RuleConfig:
    return RuleConfig(alpha=alpha, min_difference=min_difference, ignore_case=False, resamples=2000, seed=0)


def judged(right: int, of: int = 100, *, shift: int = 0) -> Judged:
    """A model that reads `right` images in a row right, from the image `shift` on."""
    return Judged([shift <= index < shift + right for index in range(of)], FIGURES)


def test_without_a_champion_the_limits_alone_decide() -> None:
    verdict = decide(judged(0), None, rule(), NO_LIMITS)
    assert (verdict.promoted, verdict.reasons) == (True, ["no champion yet, and within all limits"])


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (limits(min_accuracy=0.6), "sequence accuracy 0.5000 is below limits.min_accuracy=0.6"),
        (limits(latency_ms=2.5), "latency 3.00 ms is above limits.latency_ms=2.5"),
        (limits(parameters=999), "1,000 parameters are above limits.parameters=999"),
        (
            limits(robustness_drop=0.1, robustness_images=9),
            "altered images cost 0.2000, above limits.robustness_drop=0.1",
        ),
    ],
)
def test_no_limit_may_be_exceeded(given: LimitsConfig, reason: str) -> None:
    first = decide(judged(90), None, rule(), given)
    assert (first.promoted, first.reasons) == (False, [reason])
    better = decide(judged(90), judged(10), rule(), given)
    assert not better.promoted
    assert better.reasons[1:] == ["better by the rule", reason]


def test_a_clear_winner_is_promoted() -> None:
    verdict = decide(judged(60), judged(50), rule(), NO_LIMITS)
    assert verdict.promoted
    assert verdict.reasons[0].startswith("difference +0.1000 on 100 test images (95% bootstrap interval +0.0")
    assert verdict.reasons[0].endswith(
        "only the challenger right: 10, only the champion: 0; McNemar's exact p = 0.001953"
    )
    assert verdict.reasons[1:] == ["better by the rule"]


def test_what_may_be_chance_does_not_win() -> None:
    """Five images to none are six per cent likely among equals."""
    verdict = decide(judged(55), judged(50), rule(), NO_LIMITS)
    assert not verdict.promoted
    assert "McNemar's exact p-value 0.0625 is above rule.alpha=0.05: on the 5 images where" in verdict.reasons[1]
    assert decide(judged(55), judged(50), rule(alpha=0.07), NO_LIMITS).promoted


def test_a_difference_that_is_too_small_does_not_win() -> None:
    verdict = decide(judged(60), judged(50), rule(min_difference=0.09), NO_LIMITS)
    assert not verdict.promoted
    assert "below rule.min_difference=0.09" in verdict.reasons[1]


@pytest.mark.parametrize(("challenger", "champion"), [(judged(50), judged(50)), (judged(50), judged(50, shift=40))])
def test_an_equal_does_not_win(challenger: Judged, champion: Judged) -> None:
    verdict = decide(challenger, champion, rule(), NO_LIMITS)
    assert (verdict.promoted, verdict.reasons[1:]) == (False, ["the challenger is not ahead"])

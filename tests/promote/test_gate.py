"""The rule that was stated before decides."""

import pytest

from captcha_exp.config import LimitsConfig, RuleConfig
from captcha_exp.promote.gate import decide, forced
from captcha_exp.promote.judgement import Judged


def limits(**given: float) -> LimitsConfig:
    return LimitsConfig(**(dict.fromkeys(LimitsConfig.model_fields) | given))


NO_LIMITS = limits()
FIGURES = {"sequence_accuracy": 0.5, "latency_ms": 3.0, "parameters": 1000.0, "robustness/drop": 0.2}


def rule(alpha: float = 0.05, min_difference: float = 0.0) -> RuleConfig:
    return RuleConfig(alpha=alpha, min_difference=min_difference, ignore_case=False, resamples=2000, seed=0)


def judged(right: int, of: int = 100, *, shift: int = 0, constant: float = 0.01) -> Judged:
    """A model that reads `right` images in a row right, from the image `shift` on."""
    return Judged([shift <= index < shift + right for index in range(of)], FIGURES, constant)


def test_without_a_champion_the_limits_and_the_floor_decide() -> None:
    verdict = decide(judged(90), None, rule(), NO_LIMITS)
    begins = "the 95% interval of the accuracy on 100 test images begins at 0.8256"
    reason = f"no champion yet, and within all limits; {begins}, above the least for a first champion, 0.1000"
    assert (verdict.promoted, verdict.name, verdict.reasons) == (True, "promoted", [reason])


@pytest.mark.parametrize("given", [NO_LIMITS, limits(min_accuracy=0)])
@pytest.mark.parametrize("images", [1, 30, 10_000])
def test_a_model_that_reads_nothing_never_becomes_the_first_champion(given: LimitsConfig, images: int) -> None:
    """It did: "sequence accuracy 0.0000 ... promoted", because limits that are null decide nothing."""
    verdict = decide(judged(0, images), None, rule(), given)
    assert (verdict.promoted, verdict.name) == (False, "not promoted")
    assert " begins at 0.0000, not above " in verdict.reasons[0]


def test_a_constant_text_is_no_first_champion() -> None:
    """Half of the labels are one text, and a model that says it always reads half of the images right."""
    verdict = decide(judged(500, 1000, constant=0.5), None, rule(), NO_LIMITS)
    assert not verdict.promoted
    assert verdict.reasons == [
        "the 95% interval of the accuracy on 1000 test images begins at 0.4691, not above what one text for all images "
        "reaches, 0.5000: train longer, hold out more test images, or give a reason to force="
    ]
    assert not decide(judged(500, 1000, constant=0.5), None, rule(), limits(min_accuracy=0.4)).promoted
    assert decide(judged(540, 1000, constant=0.5), None, rule(), NO_LIMITS).promoted


@pytest.mark.parametrize(
    ("right", "images", "constant"), [(24, 30, 1 / 30), (24, 30, 0.5), (3, 3, 1 / 3), (20, 100, 0.01)]
)
def test_an_honest_small_trial_becomes_the_first_champion(right: int, images: int, constant: float) -> None:
    assert decide(judged(right, images, constant=constant), None, rule(), NO_LIMITS).promoted


def test_a_set_least_accuracy_replaces_the_tenth() -> None:
    few = judged(70, 1000, constant=0.001)
    assert not decide(few, None, rule(), NO_LIMITS).promoted
    figures = {**FIGURES, "sequence_accuracy": 0.07}
    assert decide(Judged(few.right, figures, few.constant), None, rule(), limits(min_accuracy=0.05)).promoted


def test_force_promotes_with_its_reason_and_only_where_it_is_needed() -> None:
    refused = decide(judged(0), None, rule(), NO_LIMITS)
    verdict = forced(refused, "ada", "for the fair")
    assert (verdict.promoted, verdict.name) == (True, "promoted by force")
    assert verdict.reasons == [*refused.reasons, "forced by ada: for the fair"]
    won = decide(judged(60), judged(50), rule(), NO_LIMITS)
    assert forced(won, "ada", "for the fair") == won


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

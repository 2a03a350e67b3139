"""The learning rate over the steps."""

import pytest

from captcha_exp.config import AdamWConfig, OptimizerConfig, Schedule
from captcha_exp.training.schedules import learning_rate


def optimizer(schedule: Schedule, warmup_share: float) -> OptimizerConfig:
    return AdamWConfig(
        kind="adamw", learning_rate=0.1, weight_decay=0.0, schedule=schedule, warmup_share=warmup_share,
        clip_norm=None,
    )  # fmt: skip


def test_cosine_rises_to_the_full_rate_and_falls_to_nearly_zero() -> None:
    rates = [learning_rate(step, 100, optimizer(Schedule.cosine, 0.1)) for step in range(100)]
    assert rates[:10] == sorted(rates[:10])
    assert rates[10] == pytest.approx(0.1) == max(rates)
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[55] == pytest.approx(0.05)
    assert 0 < rates[-1] < 1e-4


def test_constant_stays_after_the_warm_up() -> None:
    rates = [learning_rate(step, 10, optimizer(Schedule.constant, 0.2)) for step in range(10)]
    assert rates[0] < rates[1] < 0.1
    assert rates[2:] == [0.1] * 8


@pytest.mark.parametrize("total", [1, 2, 3])
def test_the_shortest_trainings_have_a_rate(total: int) -> None:
    for schedule in Schedule:
        for step in range(total):
            assert 0 < learning_rate(step, total, optimizer(schedule, 0.5)) <= 0.1

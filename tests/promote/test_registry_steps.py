"""Whatever step a promotion ends at, the aliases are right, and the same command finishes it."""

from collections.abc import Callable

import pytest

from captcha_exp.errors import InputError
from captcha_exp.promote.registry_steps import promotion_steps, roll_back, run_steps
from captcha_exp.tracking import Registry
from tests.promote.step_names import promotion_step_names, rollback_step_names

STEPS = promotion_step_names()
ROLLBACK_STEPS = rollback_step_names()
AddModel = Callable[[], tuple[str, str]]


class InjectedError(Exception):
    """Stands for a full disk, a lost connection and the like."""


def fail_at(step: str) -> Callable[[str], None]:
    def on_step(name: str) -> None:
        if name == step:
            raise InjectedError(name)

    return on_step


def promote(registry: Registry, model: tuple[str, str], *, promoted: bool = True, stop: str = "") -> None:
    """What the command does once the verdict is there."""
    registry.finish_move()
    run_steps(promotion_steps(registry, *model, {"sweep": "s"}, promoted=promoted), fail_at(stop))


def has_champion_before_and_after(registry: Registry, step: str) -> None:
    """Everybody who asks for the champion gets one that won: the old one until its alias was moved."""
    moved = STEPS.index(step) > STEPS.index("champion")
    assert registry.aliases()["champion"] == ("2" if moved else "1")


def is_promoted_once(registry: Registry) -> None:
    assert registry.aliases() == {"champion": "2", "previous": "1"}
    assert registry.pending_move() is None
    assert [version.version for version in registry.versions()] == ["1", "2"]
    assert registry.version("2").tags == {"sweep": "s", "replaced": "1"}


@pytest.mark.parametrize("step", STEPS)
def test_a_failure_at_any_step_is_mended_by_the_same_command(
    registry: Registry, add_model: AddModel, step: str
) -> None:
    promote(registry, add_model())
    second = add_model()
    with pytest.raises(InjectedError):
        promote(registry, second, stop=step)
    has_champion_before_and_after(registry, step)
    promote(registry, second)
    is_promoted_once(registry)


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_any_step_is_mended_by_the_same_command(
    registry: Registry, add_model: AddModel, killed_at: Callable[..., None], step: str
) -> None:
    promote(registry, add_model())
    model_id, run_id = second = add_model()
    killed_at(step, model_id=model_id, run_id=run_id, promoted=True)
    has_champion_before_and_after(registry, step)
    promote(registry, second)
    is_promoted_once(registry)


@pytest.mark.parametrize("step", STEPS[STEPS.index("decide") + 1 :])
def test_another_promotion_finishes_what_was_decided(registry: Registry, add_model: AddModel, step: str) -> None:
    promote(registry, add_model())
    with pytest.raises(InjectedError):
        promote(registry, add_model(), stop=step)
    promote(registry, add_model())
    assert registry.aliases() == {"champion": "3", "previous": "2"}
    assert registry.version("3").tags["replaced"] == "2"


def test_a_loser_is_challenger_and_the_champion_stays(registry: Registry, add_model: AddModel) -> None:
    first, second = add_model(), add_model()
    promote(registry, first)
    promote(registry, second, promoted=False)
    assert registry.aliases() == {"champion": "1", "challenger": "2"}
    promote(registry, second)
    assert registry.aliases() == {"champion": "2", "previous": "1"}


def test_a_loser_of_the_first_promotion_leaves_no_champion(registry: Registry, add_model: AddModel) -> None:
    promote(registry, add_model(), promoted=False)
    assert registry.aliases() == {"challenger": "1"}


def test_what_is_served_is_made_before_anything_is_registered(registry: Registry, add_model: AddModel) -> None:
    def cannot() -> dict[str, str]:
        assert registry.versions() == []
        raise InjectedError

    steps = promotion_steps(registry, *add_model(), {}, promoted=True, build_servable=cannot)
    with pytest.raises(InjectedError):
        run_steps(steps)
    assert registry.versions() == []
    run_steps(promotion_steps(registry, *add_model(), {}, promoted=True, build_servable=lambda: {"servable": "onnx"}))
    assert registry.version("1").tags == {"servable": "onnx"}


def test_a_rollback_goes_back_one_champion_at_a_time(registry: Registry, add_model: AddModel) -> None:
    for _ in range(3):
        promote(registry, add_model())
    roll_back(registry)
    assert registry.aliases() == {"champion": "2", "previous": "1"}
    assert "rolled_back" in registry.version("3").tags
    roll_back(registry)
    assert registry.aliases() == {"champion": "1"}
    with pytest.raises(InputError, match="has no previous champion to go back to"):
        roll_back(registry)


@pytest.mark.parametrize("step", ROLLBACK_STEPS)
def test_a_rollback_that_is_killed_goes_back_once_altogether(
    registry: Registry, add_model: AddModel, killed_at: Callable[..., None], step: str
) -> None:
    for _ in range(3):
        promote(registry, add_model())
    killed_at(step, rollback=True)
    roll_back(registry)
    assert registry.aliases() == {"champion": "2", "previous": "1"}
    assert registry.pending_move() is None


def test_a_promotion_finishes_a_rollback_that_failed(registry: Registry, add_model: AddModel) -> None:
    for _ in range(2):
        promote(registry, add_model())
    with pytest.raises(InjectedError):
        roll_back(registry, fail_at("previous"))
    promote(registry, add_model())
    assert registry.aliases() == {"champion": "3", "previous": "1"}

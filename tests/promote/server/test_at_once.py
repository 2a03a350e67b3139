"""Promotions from several processes in the same moment."""

import os
import random
import re
import runpy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from captcha_exp.tracking import Registry, Store
from tests.promote.commands import have_promoted, promote_model, state
from tests.warm_processes import processes

AddModel = Callable[[], tuple[str, str]]
# More by hand: each takes half a second.
REPETITIONS = int(os.environ.get("RACES", "2"))
UNDER_WAY = re.compile(
    r"Another promotion of [\w-]+ is under way \(\w+ on .*, since 2.*\)\. Try again when it has ended;"
)


@dataclass(frozen=True)
class Racer:
    """One command: the registered model, and the model to promote, or None for a rollback."""

    name: str
    model: tuple[str, str] | None
    claims: Path


@pytest.fixture
def race(store: Store, store_root: Path) -> Callable[[Sequence[Racer], Sequence[float]], list[str]]:
    """Run commands in processes of their own, each so many seconds after the start, and return what they told."""
    context = processes()

    def run(racers: Sequence[Racer], delays_s: Sequence[float]) -> list[str]:
        gate = context.Barrier(len(racers))
        script = str(Path(__file__).with_name("racing_process.py"))
        known = {"uri": store.uri, "root": str(store_root), "experiment": store.experiment, "gate": gate}
        pipes, started = [], []
        for racer, delay_s in zip(racers, delays_s, strict=True):
            receiver, sender = context.Pipe(duplex=False)
            own = {**known, **vars(racer), "claims": str(racer.claims), "delay_s": delay_s, "told": sender}
            started.append(context.Process(target=runpy.run_path, args=(script, own)))
            started[-1].start()
            sender.close()
            pipes.append(receiver)
        told = [pipe.recv() for pipe in pipes]
        for process in started:
            process.join()
        return told

    return run


def is_sound(registry: Registry, models: Sequence[tuple[str, str]]) -> None:
    """One version for each model, a champion and its predecessor, and nothing left half done."""
    found = state(registry)
    assert set(found["tags"]) == {"promotion.move"}
    assert found["tags"]["promotion.move"]["finished"] is True
    registered = [(version.model_id, version.run_id) for version in registry.versions()]
    assert len(set(registered)) == len(registered)
    assert set(registered) <= set(models)
    registry.check_aliases()


@pytest.mark.parametrize("repetition", range(REPETITIONS))
@pytest.mark.parametrize("elsewhere", [False, True])
def test_of_two_promotions_at_once_one_wins_or_both_give_way(
    store: Store,
    registry: Registry,
    add_model: AddModel,
    race: Callable[..., list[str]],
    tmp_path: Path,
    repetition: int,
    elsewhere: bool,
) -> None:
    """On one machine, and, since neither sees the other's claims, as if on two."""
    models = [add_model(), add_model(), add_model()]
    have_promoted(registry, models[:1])
    claims = [tmp_path / "1", tmp_path / ("2" if elsewhere else "1")]
    racers = [Racer(registry.name, model, place) for model, place in zip(models[1:], claims, strict=True)]
    told = race(racers, [0.0, random.Random(repetition).choice([0.0, random.random() * 0.1])])
    assert all(line == "done" or UNDER_WAY.match(line) for line in told), told
    is_sound(registry, models)
    if told == ["done", "done"]:  # one after the other
        assert registry.aliases() in ({"champion": "3", "previous": "2"}, {"champion": "2", "previous": "3"})
    elif "done" in told:
        assert registry.aliases() == {"champion": "2", "previous": "1"}
        (winner,) = (model for model, line in zip(models[1:], told, strict=True) if line == "done")
        assert registry.version("2").model_id == winner[0]
    else:
        assert registry.aliases() == {"champion": "1"}
        assert len(registry.versions()) == 1


@pytest.mark.parametrize("repetition", range(REPETITIONS))
def test_of_a_promotion_and_a_rollback_at_once_one_wins_or_both_give_way(
    store: Store,
    registry: Registry,
    add_model: AddModel,
    race: Callable[..., list[str]],
    tmp_path: Path,
    repetition: int,
) -> None:
    models = [add_model(), add_model(), add_model()]
    have_promoted(registry, models[:2])
    racers = [Racer(registry.name, models[2], tmp_path), Racer(registry.name, None, tmp_path)]
    told = race(racers, [0.0, random.Random(repetition).choice([0.0, random.random() * 0.1])])
    assert all(line == "done" or UNDER_WAY.match(line) for line in told), told
    is_sound(registry, models)
    ends = {
        (True, False): [{"champion": "3", "previous": "2"}],
        (False, True): [{"champion": "1"}],
        (False, False): [{"champion": "2", "previous": "1"}],
        # One after the other: promoted and back, or back and promoted.
        (True, True): [{"champion": "2", "previous": "1"}, {"champion": "3", "previous": "1"}],
    }
    assert registry.aliases() in ends[told[0] == "done", told[1] == "done"]


def test_promotions_of_different_models_do_not_hinder_each_other(
    store: Store, add_model: AddModel, race: Callable[..., list[str]], tmp_path: Path
) -> None:
    names = [f"{store.experiment}-{number}" for number in range(2)]
    told = race([Racer(name, add_model(), tmp_path) for name in names], [0.0, 0.0])
    assert told == ["done", "done"]
    for name in names:
        assert Registry(store, name).aliases() == {"champion": "1"}


def test_a_promotion_whose_claim_was_removed_changes_nothing_more(
    store: Store, registry: Registry, add_model: AddModel, tmp_path: Path
) -> None:
    """As somebody does who takes it for dead."""
    have_promoted(registry, [add_model()])
    overtaken, second = add_model(), add_model()

    def overtake(step: str) -> None:
        if step == "register":
            (claim,) = (key for key in registry.model_tags() if key.startswith("promotion.claim."))
            registry.delete_model_tag(claim)
            promote_model(store, registry, tmp_path / "elsewhere", second)

    with pytest.raises(Exception, match="was removed by somebody else, so another may be under way") as told:
        promote_model(store, registry, tmp_path, overtaken, overtake)
    assert "\n" not in str(told.value)
    assert registry.aliases() == {"champion": "2", "previous": "1"}
    is_sound(registry, [overtaken, second, *[(v.model_id, v.run_id) for v in registry.versions()]])

"""Two promotions at once cannot both go on."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from captcha_exp.errors import InputError
from captcha_exp.promote.exclusive import exclusive
from captcha_exp.tracking import Registry, Store


def test_on_this_machine_the_second_waits_for_the_first(
    store: Store, registry: Registry, tmp_path: Path, told: list[str]
) -> None:
    def second() -> None:
        with exclusive(store, registry, tmp_path):
            told.append("second")

    with exclusive(store, registry, tmp_path):
        thread = threading.Thread(target=second)
        thread.start()
        while not told:
            time.sleep(0.01)
        told.append("first")
    thread.join()
    assert told == [f"waiting for another promotion of {registry.name}", "first", "second"]


def test_at_a_server_the_second_gives_way(server_like: Store, registry: Registry, tmp_path: Path) -> None:
    with exclusive(server_like, registry, tmp_path):
        with (
            pytest.raises(
                InputError, match=rf"^Another promotion of {registry.name} is under way \(\w+ on .*, since 2"
            ),
            exclusive(server_like, registry, tmp_path),
        ):
            pass
        assert len(registry.model_tags()) == 1, "the first one's claim stays"
    assert registry.model_tags() == {}
    with exclusive(server_like, registry, tmp_path):
        pass


def test_at_a_server_never_two_at_once(server_like: Store, registry: Registry, tmp_path: Path) -> None:
    inside, most = [0], [0]
    count = threading.Lock()
    deadline = time.monotonic() + 120

    def hold() -> None:
        with exclusive(server_like, registry, tmp_path):
            with count:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            time.sleep(0.02)
            with count:
                inside[0] -= 1

    def enter_twice(thread: int) -> None:
        entered, random = 0, Random(thread)
        while entered < 2 and time.monotonic() < deadline:
            try:
                hold()
                entered += 1
            except InputError:
                time.sleep(random.uniform(0, 0.2))  # those that start together give way to each other
        turns[thread] = entered

    turns = [0, 0, 0]
    threads = [threading.Thread(target=enter_twice, args=(thread,)) for thread in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
    assert turns == [2, 2, 2]
    assert registry.model_tags() == {}
    assert not list(tmp_path.iterdir())


def test_a_claim_of_a_killed_process_is_removed(
    server_like: Store, registry: Registry, killed_at: Callable[..., None], tmp_path: Path
) -> None:
    killed_at("holding", claims=str(tmp_path))
    assert len(registry.model_tags()) == 1
    with exclusive(server_like, registry, tmp_path):
        assert len(registry.model_tags()) == 1
    assert registry.model_tags() == {}


def test_a_claim_from_elsewhere_is_named(
    server_like: Store, registry: Registry, killed_at: Callable[..., None], tmp_path: Path
) -> None:
    """Whether a process of another machine is alive cannot be told from here."""
    killed_at("holding", claims=str(tmp_path / "elsewhere"))
    with (
        pytest.raises(
            InputError, match=r"if it died, remove the registered model's tag promotion\.claim\.[0-9a-f]{32}\."
        ),
        exclusive(server_like, registry, tmp_path / "here"),
    ):
        pass

"""A server that breaks at one write: one line, and the same command leaves what an unbroken one leaves."""

import math
import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from captcha_exp.errors import InputError
from captcha_exp.tracking import Registry, Store
from captcha_exp.tracking.answering import short_patience
from tests.mlflow_server import MlflowServer
from tests.promote.commands import go_back, have_promoted, promote_model, state
from tests.promote.server.breaking_proxy import Break, BreakingProxy, breaking_proxy
from tests.promote.server.conftest import open_at

AddModel = Callable[[], tuple[str, str]]


@pytest.fixture
def proxy(mlflow_server: MlflowServer) -> Iterator[BreakingProxy]:
    """Passes everything on until it is told otherwise."""
    with breaking_proxy(mlflow_server.port) as proxy:
        yield proxy


@pytest.fixture
def through(proxy: BreakingProxy, store: Store, store_root: Path) -> Store:
    """The test's experiment, as seen through the proxy."""
    return open_at(proxy.uri, store.experiment, store_root)


def break_write(proxy: BreakingProxy, number: int, how: Break) -> Callable[[], bool]:
    """Break the write of this number once; what is returned tells whether it was reached."""
    writes: list[str] = []

    def choose(method: str, path: str) -> Break | None:
        # Searching is a POST too.
        if method == "GET" or path.endswith("/search"):
            return None
        writes.append(path)
        return how if len(writes) == number + 1 else None

    proxy.choose = choose
    return lambda: len(writes) > number


def break_each_write(proxy: BreakingProxy, how: Break, command: Callable[[int], Callable[[], None]]) -> int:
    """Run commands with one of their writes broken, the first, the second and so on, and again unbroken.

    Returns:
        How many were run, the last of which had no such write.
    """
    for number in range(50):
        run = command(number)
        reached = break_write(proxy, number, how)
        try:
            run()
        except InputError as error:
            assert str(error).startswith(f"The store {proxy.uri} failed: ")
            assert "\n" not in str(error)
        else:
            assert not reached(), f"write {number} failed unnoticed"
            return number + 1
        proxy.choose = lambda method, path: None
        run()
    raise AssertionError("a command has no end")


@pytest.mark.parametrize("how", ["refused", "lost"])
def test_a_promotion_whose_write_breaks_is_finished_by_the_same_command(
    proxy: BreakingProxy,
    through: Store,
    add_model: AddModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    how: Break,
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    registry = Registry(through, through.experiment)

    def command(number: int) -> Callable[[], None]:
        if number:
            promoted_in_a_row(registry, number)
        return partial(promote_model, through, registry, tmp_path, add_model())

    count = break_each_write(proxy, how, command)
    promoted_in_a_row(registry, count)
    assert count > len(["register", "champion", "previous", "challenger", "finish"])
    assert not list(tmp_path.iterdir())


def promoted_in_a_row(registry: Registry, count: int) -> None:
    """What so many promotions leave, one after the other, if nothing happens meanwhile."""
    found = state(registry)
    now, before = str(count), str(count - 1) if count > 1 else None
    assert found["aliases"] == {"champion": now} | ({"previous": before} if before else {})
    moved = {"kind": "promotion", "champion": now, "previous": before, "challenger": None}
    assert found["tags"] == {"promotion.move": {**moved, "by": "somebody", "finished": True}}
    assert list(found["versions"]) == [str(number + 1) for number in range(count)]
    for number, version in found["versions"].items():
        replaced = {"replaced": str(int(number) - 1)} if number != "1" else {}
        assert version == {"of": number, "sweep": "s"} | replaced


def test_a_rollback_whose_answer_is_lost_goes_back_once_altogether(
    proxy: BreakingProxy,
    through: Store,
    add_model: AddModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    registry, most = Registry(through, through.experiment), 12
    have_promoted(registry, [add_model() for _ in range(most)])
    count = break_each_write(proxy, "lost", lambda number: partial(go_back, through, registry, tmp_path))
    assert registry.aliases() == {"champion": str(most - count), "previous": str(most - count - 1)}
    assert registry.pending_move() is None
    assert not list(tmp_path.iterdir())


def test_a_retry_registers_no_second_version(
    proxy: BreakingProxy, through: Store, add_model: AddModel, tmp_path: Path
) -> None:
    """With MLflow's retries, that is; only making a version is not tried again."""
    registry = Registry(through, through.experiment)
    asked: list[str] = []

    def lose_every_first(method: str, path: str) -> Break | None:
        asked.append(path)
        return "lost" if asked.count(path) == 1 else None

    model = add_model()
    proxy.choose = lose_every_first
    with pytest.raises(InputError, match=r"^The store .* failed: "):
        promote_model(through, registry, tmp_path, model)
    promote_model(through, registry, tmp_path, model)
    promoted_in_a_row(registry, 1)


def test_a_server_that_is_silent_ends_the_command_in_time(
    proxy: BreakingProxy, through: Store, add_model: AddModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    registry, model = Registry(through, through.experiment), add_model()
    have_promoted(registry, [add_model()])
    started = math.inf

    def silent_from_the_move_on(name: str) -> None:
        nonlocal started
        if name == "champion":
            proxy.choose = lambda method, path: "hanging"
            # Not before: a busy machine may need a second for an answer. At its end the command removes the limit.
            os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] = "1"
            started = time.monotonic()

    with pytest.raises(InputError, match=r"^The store http://127\.0\.0\.1:\d+ failed: .*Read timed out"):
        promote_model(through, registry, tmp_path, model, silent_from_the_move_on)
    assert time.monotonic() - started < 10, "two requests, of a second each"
    proxy.choose = lambda method, path: None
    promote_model(through, registry, tmp_path, model)
    promoted_in_a_row(registry, 2)


def test_a_command_waits_for_less_than_a_minute_unless_it_is_told_to() -> None:
    names = [f"MLFLOW_HTTP_REQUEST_{name}" for name in ("MAX_RETRIES", "TIMEOUT", "BACKOFF_FACTOR")]
    before = [os.environ.get(name) for name in names]
    with short_patience():
        retries, timeout, backoff = (int(os.environ[name]) for name in names)
    attempts = retries + 1
    pauses = sum(backoff * 2**number + 1 for number in range(retries))
    assert attempts * timeout + pauses < 60
    assert [os.environ.get(name) for name in names] == before

"""A Ctrl-C that Python drops, or that comes while something is stored."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from captcha_exp import interruption
from captcha_exp.config import Config
from captcha_exp.experiment import run_experiment
from captcha_exp.interruption import remember_interrupts
from captcha_exp.tracking import open_store
from tests.told import hearing
from tests.trained_run import SMALL


class Finaliser:
    """Python drops what `__del__` raises."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


@pytest.fixture(autouse=True)
def handler() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
    remember_interrupts()
    yield
    signal.signal(signal.SIGINT, before)
    interruption._interrupted.clear()
    interruption._owed.clear()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(("dropped_at", "last"), [("prepared", "decoding:"), ("epoch 1/3", "epoch 1/3")])
def test_a_dropped_interrupt_ends_the_run_at_the_next_step(
    compose: Callable[..., Config], told: list[str], dropped_at: str, last: str
) -> None:
    def press(line: str) -> None:
        if line.startswith(dropped_at):
            Finaliser()

    with pytest.raises(KeyboardInterrupt), hearing(press):
        run_experiment(compose(*SMALL))
    assert told[-1].startswith(last)


def test_an_interrupt_that_is_not_dropped_is_raised_at_once() -> None:
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_an_interrupt_while_an_epoch_is_stored_leaves_no_locked_database(
    compose: Callable[..., Config], tmp_path: Path
) -> None:
    # SQLAlchemy tells when the transaction is open: without a shield the run would stay RUNNING.
    config = compose()
    store = open_store(config.tracking, tmp_path)

    def press(*_: object) -> None:
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt), store.start_run("a", {}) as run:
        event.listen(Engine, "after_cursor_execute", press, once=True)
        run.log_epoch(1, {"val/ctc_loss": 1.0})
    assert store.record(run.run_id).info.status == "KILLED"
    assert store.measured(run.run_id, "val/ctc_loss") == [1.0]


def test_a_second_interrupt_does_not_wait() -> None:
    with pytest.raises(KeyboardInterrupt), interruption.uninterrupted():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)

"""A Ctrl-C that Python drops."""

import signal
from collections.abc import Callable, Iterator

import pytest

from captcha_exp.config import Config
from captcha_exp.experiment import interruption, remember_interrupts, run_experiment
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

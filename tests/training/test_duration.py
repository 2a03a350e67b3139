"""How long a training lasts, by a clock that the test sets."""

import pytest

from captcha_exp.training.duration import TICKS, Epochs, Minutes


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def passes(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_epochs_see_their_steps() -> None:
    epochs = Epochs(3, 10)
    assert epochs.place(29) == (29, 30)
    assert (epochs.is_over(2), epochs.is_over(3), epochs.is_up()) == (False, True, False)


def test_the_place_follows_the_time_after_the_first_step(clock: Clock) -> None:
    minutes = Minutes(1, clock)
    clock.passes(5)
    assert minutes.place(0) == (0, TICKS), "building does not count"
    clock.passes(15)
    minutes.note_step()
    assert minutes.place(1)[0] == 0, "nor does the compilation of the first step"
    clock.passes(10)
    minutes.note_step()
    assert minutes.place(2) == (TICKS // 4, TICKS), "10 of the 40 seconds that are left"
    clock.passes(100)
    assert minutes.place(3) == (TICKS - 1, TICKS)


def test_the_last_epoch_leaves_time_for_an_evaluation(clock: Clock) -> None:
    minutes = Minutes(1, clock)
    minutes.note_step()
    clock.passes(20)
    minutes.note_evaluation(10)
    assert not minutes.is_over(1)
    clock.passes(29)
    assert not minutes.is_up()
    clock.passes(1)
    assert minutes.is_up() and minutes.is_over(2)
    assert minutes.place(9)[0] == TICKS - 1
    assert minutes.metrics() == {"minutes": 50 / 60}


def test_there_is_always_one_epoch(clock: Clock) -> None:
    minutes = Minutes(1, clock)
    clock.passes(61)
    assert (minutes.is_over(0), minutes.is_over(1)) == (False, True)


def test_the_place_never_goes_back(clock: Clock) -> None:
    minutes = Minutes(1, clock)
    minutes.note_step()
    clock.passes(20)
    minutes.note_evaluation(20)
    before = minutes.place(1)
    minutes.note_evaluation(1)
    assert minutes.place(2) == before


def test_the_time_of_an_interrupted_process_counts_and_its_successor_compiles_again(clock: Clock) -> None:
    first = Minutes(1, clock)
    clock.passes(10)
    first.note_step()
    clock.passes(20)
    place = first.place(5)
    state = first.state()
    clock.passes(10_000)
    second = Minutes(1, clock)
    second.restore(state)
    clock.passes(10)
    assert second.place(6)[0] == int(TICKS * 20 / 40) > place[0] == int(TICKS * 20 / 50)
    second.note_step()
    assert second.place(7)[0] == int(TICKS * 20 / 40)
    assert second.metrics() == {"minutes": 40 / 60}
    clock.passes(20)
    assert second.is_up()

"""How much work a pattern may ask for, counted in calls and states, never in seconds."""

import random
import string
import sys
from types import FrameType

import numpy as np
import pytest

from benchmarks.pattern_cost import nasty_pattern
from captcha_exp.errors import InputError
from captcha_exp.reader.decoding import Automaton, Constraint, build_automaton, decode_alternatives
from captcha_exp.reader.decoding.budget import MAX_CELLS, MAX_PATTERN, MAX_STATES, MAX_STEPS
from tests.reader.decoding.references import random_probabilities

pytestmark = pytest.mark.filterwarnings("ignore:Possible nested set")
CHARACTERS = string.digits + string.ascii_letters
TIME_STEPS = 50


class _Calls:
    """Counts calls of Python's functions while it is entered, and ends what makes too many."""

    def __init__(self, most: int) -> None:
        self.most, self.count = most, 0

    def __enter__(self) -> "_Calls":
        sys.setprofile(self._profile)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _profile(self, _: FrameType, event: str, __: object) -> None:
        self.count += event == "call"
        if self.count > self.most:
            sys.setprofile(None)
            raise TimeoutError(f"more than {self.most} calls")


def build(pattern: str, most_calls: int, time_steps: int = TIME_STEPS, **more: int) -> Automaton | InputError:
    with _Calls(most_calls):
        try:
            return build_automaton(Constraint(pattern=pattern, **more), CHARACTERS, time_steps)
        except InputError as error:
            return error


@pytest.mark.parametrize(
    "pattern",
    [
        "(((((){99}){99}){99}){99}){99}",
        "(" * 40 + ")" + "{99})" * 39 + "{99}",
        "((((((|){99}){99}){99}){99}){99}){99}",
        "((((((()*)*){99})+){99})*){0}",
        "(((((a{0}){99}){99}){99}){99}){99}",
        "((((((?:){9,}|()|(|)){99}){99}){99}){99}){99}",
        "(((((){4294967294}){4294967294}){4294967294}){4294967294}){0,4294967294}",
    ],
)
@pytest.mark.parametrize("time_steps", [12, 50, 400])
def test_the_empty_text_repeated_costs_nothing(pattern: str, time_steps: int) -> None:
    automaton = build(pattern, 20_000, time_steps)
    assert isinstance(automaton, Automaton)
    assert (len(automaton.accepting), len(automaton.state)) == (1, 1)
    assert automaton.accepting.all()


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(((((a?){99}){99}){99}){99}){99}", "written out it has over 2000 places"),
        ("((((([^\\W_]|){99}){99}){99}){99}){99}", "written out it has over 2000 places"),
        ("(((((a|()|b){99}|){99}|){99}|){99}|){99}", "written out it has over 2000 places"),
        ("((((.{0,49}){0,49}){0,49}){0,49}){0,49}", "written out it has over 2000 places"),
        ("(a{4294967294}){4294967294}", "written out it has over 2000 places"),
        (".*a.{9}", "it needs more than 806 states"),
        (".*a.{30}.*b.{30}", "it needs more than 806 states"),
        ("(?:" + "|".join(f"{char}.?" for char in CHARACTERS[:48]) + "){20}", "it needs more than 60000 steps"),
    ],
)
def test_what_is_too_large_is_refused_before_it_is_done(pattern: str, reason: str) -> None:
    refused = build(pattern, 3 * MAX_STEPS)
    assert isinstance(refused, InputError)
    assert str(refused).startswith(f"pattern={pattern[:200]}")
    assert f" is too large: {reason}" in str(refused)
    assert str(refused).endswith(". Use smaller counts, fewer alternatives or a word list.")


def test_a_long_pattern_is_refused_unread_and_shown_in_part() -> None:
    refused = build("x\x1b\n" * MAX_PATTERN, 5_000)
    assert str(refused).startswith("pattern=x\\x1b\\nx")
    assert str(refused).endswith("... (3000 characters) is too long; a pattern may have 1000 characters.")
    assert len(str(refused)) < 1_000


def test_lengths_do_not_make_a_bounded_pattern_unbounded() -> None:
    # A text of either kind can have any length, so each state has to be counted.
    pattern = "(.*a.{7})*"
    assert isinstance(build(pattern, 10 * MAX_STEPS), Automaton)
    refused = build(pattern, 10 * MAX_STEPS, max_length=40)
    assert str(refused).startswith(f"pattern={pattern} max_length=40 is too large: with its lengths it needs more than")


def test_fuzzed_patterns_stay_within_the_work_and_the_size_allowed() -> None:
    rng = random.Random(7)
    largest: list[Automaton] = []
    for _ in range(700):
        pattern = nasty_pattern(rng)
        built = build(pattern, 4 * MAX_STEPS)
        if isinstance(built, InputError):
            assert str(built).startswith("pattern=") or str(built).startswith("No text satisfies pattern="), pattern
            assert "\n" not in str(built)
            continue
        assert built.next.size <= MAX_CELLS, pattern
        assert len(built.accepting) <= MAX_STATES, pattern
        assert built.nbytes < 3 << 20, pattern
        largest.append(built)
    assert len(largest) > 50
    probabilities = random_probabilities(0, 1, TIME_STEPS, len(CHARACTERS) + 1)
    for automaton in sorted(largest, key=lambda one: -len(one.state))[:10]:
        ((found,),) = decode_alternatives(probabilities, CHARACTERS, 1, automaton)
        assert 0 <= found.confidence <= 1


def test_a_chain_that_is_left_too_late_to_end_in_time_is_no_part_of_the_automaton() -> None:
    automaton = build_automaton(Constraint(pattern="a|" + "|".join("a" * n + "b" * (40 - n) for n in (1, 9))), "ab", 12)
    assert np.unique(automaton.state).tolist() == list(range(len(automaton.accepting)))
    assert len(automaton.accepting) == 2

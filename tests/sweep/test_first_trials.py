"""What a search begins with."""

from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from captcha_exp.errors import InputError
from captcha_exp.sweep.first_trials import first_trials
from captcha_exp.sweep.space import Space, build_space
from tests.sweep.conftest import Sweep

CURRENT = {"transformer": "pre_norm", "rate": 0.004, "heads": 4, "filters": [24, 48], "depth": 2}
DECLARED = {
    "transformer": "choice(pre_norm, lstm)",
    "rate": "tag(log, interval(0.001, 0.01))",
    "heads": {"space": "choice(1, 2, 4)", "when": {"transformer": ["pre_norm"]}},
    "filters": "choice([24, 48], [32, 64])",
    "depth": "range(1, 9, 2)",
}


@pytest.fixture
def space() -> Space:
    return build_space(DECLARED, [], OverridesParser.create(), CURRENT)[0]


def test_an_empty_entry_is_the_composed_configuration_as_far_as_the_space_has_it(space: Space) -> None:
    (trial,) = first_trials([{}], space, CURRENT)
    assert trial == {"transformer": "pre_norm", "rate": 0.004, "heads": 4, "filters": "[24,48]"}


def test_an_entry_gives_its_own_values_and_leaves_out_what_does_not_apply(space: Space) -> None:
    mine = {"transformer": "lstm", "rate": 0.002, "filters": [32, 64], "depth": 5}
    first, second = first_trials([mine, {}], space, CURRENT)
    assert first == {"transformer": "lstm", "rate": 0.002, "filters": "[32,64]", "depth": 5}
    assert second["transformer"] == "pre_norm"


def test_nothing_is_first_where_nothing_is_asked_for_or_no_default_is_in_the_space(space: Space) -> None:
    assert first_trials([], space, CURRENT) == ()
    narrow, _ = build_space({"rate": "interval(0.1, 0.2)"}, [], OverridesParser.create(), CURRENT)
    assert first_trials([{}], narrow, CURRENT) == ()


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"dropout": 0.1}, r"sweep\.first names dropout, which is not searched; the space has transformer, rate"),
        ({"rate": 0.5}, r"sweep\.first gives rate the value 0\.5, not one of log numbers 0\.001 to 0\.01"),
        ({"heads": 3}, r"sweep\.first gives heads the value 3, not one of choice\(1, 2, 4\)"),
        ({"depth": 2}, r"sweep\.first gives depth the value 2, not one of"),
        ({"rate": "fast"}, r"sweep\.first gives rate the value 'fast'"),
    ],
)
def test_values_outside_the_space_are_refused(space: Space, entry: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        first_trials([entry], space, CURRENT)


def test_a_sweep_tries_the_defaults_then_the_users_own_and_then_searches(sweep: Sweep) -> None:
    given = "sweep.first=[{},{transformer.dropout: 0.25}]"
    code, printed = sweep.run("sweep.n_trials=3", "sweep.workers=1", given, "transformer.num_heads=2,4")
    assert code == 0, printed
    tried = [trial.params for trial in sweep.tally().trials]
    assert tried[0] == {"transformer.dropout": 0.1, "transformer.num_heads": 4}
    assert tried[1] == {"transformer.dropout": 0.25, "transformer.num_heads": 4}
    assert tried[2]["transformer.dropout"] not in (0.1, 0.25)

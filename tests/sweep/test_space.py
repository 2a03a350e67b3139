"""The search space and its two sources: the sweep's file and the command line."""

from typing import Any

import optuna
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from captcha_exp.errors import InputError
from captcha_exp.sweep.space import Space, build_space

CURRENT = {"transformer": "pre_norm", "training.epochs": 4}


def build(declared: dict[str, Any], *arguments: str) -> tuple[Space, list[str]]:
    return build_space(declared, arguments, OverridesParser.create(), CURRENT)


def suggested(declared: dict[str, Any], trials: int = 30) -> list[dict[str, str]]:
    """Overrides of many random trials, by key."""
    space, _ = build(declared)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    return [dict(o.split("=", 1) for o in space.suggest(study.ask())) for _ in range(trials)]


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("choice(1, 2, 4)", {"1", "2", "4"}),
        ("1, 2", {"1", "2"}),
        ([2, 2.5, "pre", None, True], {"2", "2.5", "pre", "null", "True"}),
        ("true, null", {"True", "null"}),
        ("choice('a b', c, '7')", {"'a b'", "c", "'7'"}),
        (["a b", "1"], {"'a b'", "'1'"}),
        ("choice([24, 48], [32, 64, 128])", {"[24,48]", "[32,64,128]"}),
        ([[24, 48], [32]], {"[24,48]", "[32]"}),
        ("range(1, 4)", {"1", "2", "3"}),
        ("range(8, 0, -4)", {"8", "4"}),
        ("range(0, 1, 0.5)", {"0.0", "0.5"}),
        ("int(interval(1, 3))", {"1", "2", "3"}),
    ],
)
def test_every_form_reaches_hydra_as_it_was_meant(expression: Any, values: set[str]) -> None:
    assert {overrides["k"] for overrides in suggested({"k": expression})} == values


def test_a_logarithmic_interval_covers_every_magnitude() -> None:
    drawn = [float(overrides["k"]) for overrides in suggested({"k": "tag(log, interval(0.0001, 1))"}, trials=200)]
    assert all(0.0001 <= value <= 1 for value in drawn)
    assert sum(value < 0.01 for value in drawn) == pytest.approx(100, abs=25)


def test_a_key_exists_only_under_its_condition() -> None:
    drawn = suggested(
        {
            "transformer.num_heads": {"space": "choice(1, 2)", "when": {"transformer": ["pre_norm", "original"]}},
            "transformer": "choice(pre_norm, lstm, original)",
            "transformer.key_dim": {"space": "choice(8, 16)", "when": {"transformer.num_heads": 2}},
        }
    )
    for overrides in drawn:
        assert ("transformer.num_heads" in overrides) == (overrides["transformer"] != "lstm")
        assert ("transformer.key_dim" in overrides) == (overrides.get("transformer.num_heads") == "2")
        assert next(iter(overrides)) == "transformer", "a group is chosen before its values"


def test_a_condition_may_name_what_is_not_searched() -> None:
    entry = {"space": "choice(1, 2)", "when": {"transformer": "pre_norm"}}
    assert all("k" in overrides for overrides in suggested({"k": entry}))
    entry = {"space": "choice(1, 2)", "when": {"training.epochs": 5}}
    space, _ = build({"k": entry, "other": "choice(1, 2)"})
    assert space.suggest(optuna.create_study().ask())[0].startswith("other=")


def test_a_fixed_value_on_the_command_line_leaves_the_space() -> None:
    declared = {"transformer.dropout": "interval(0, 1)", "transformer.depth": "choice(1, 2)"}
    space, fixed = build(declared, "+sweep=attention", "transformer.dropout=0.1")
    assert space.describe() == {"transformer.depth": "choice(1, 2)"}
    assert fixed == ["+sweep=attention", "transformer.dropout=0.1"]


def test_a_sweep_on_the_command_line_adds_to_the_space_or_replaces_a_key() -> None:
    space, fixed = build({"transformer.depth": "choice(1, 2)"}, "transformer.depth=3,4", "cnn=choice(original,vgg)")
    assert space.describe() == {"cnn": "choice(original, vgg)", "transformer.depth": "choice(3, 4)"}
    assert fixed == []


def test_equal_searches_are_described_alike_however_they_are_written() -> None:
    one, _ = build({"a": "choice(1,2)", "b": "interval(0,1)", "c": "range(1,3)"})
    other, _ = build({"c": "int(interval(1, 2))", "b": "interval( 0.0, 1.0 )", "a": [1, 2]})
    assert one.describe() == other.describe()


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("choice(1, 2", "sweep.space.k is 'choice(1, 2', which cannot be read"),
        ("chioce(1, 2)", "Unknown function 'chioce'"),
        ("0.1", "sweep.space.k is '0.1', which is one value; write choice(1, 2)"),
        (3, "sweep.space.k is 3, which is nothing to search; write choice(1, 2)"),
        ([], "sweep.space.k is '[]', which has no choice in it"),
        ("range(3, 3)", "sweep.space.k is 'range(3, 3)': a range without a value in it"),
        ("tag(logarithmic, interval(1, 2))", "the only tag is `log`, not 'logarithmic'"),
        ("tag(log, interval(0, 1))", "sweep.space.k is 'tag(log, interval(0, 1))'"),
        ("interval(2, 1)", "sweep.space.k is 'interval(2, 1)'"),
        ("tag(log, choice(1, 2))", "the tag `log` needs an interval"),
        ("choice(1, 1)", "sweep.space.k is 'choice(1, 1)', which has 1 twice"),
        ({"when": {"transformer": "lstm"}}, "a conditional entry has `space` and `when`"),
        ({"space": "1,2", "when": {"decoder": "x"}}, "sweep.space.k: `when` names 'decoder', which is no key or group"),
        ({"space": "1,2", "when": {"group": "c"}}, "`when` names group=c, but group is one of a, b"),
        ({"space": "1,2", "when": {"k": "1"}}, "depend on each other in a circle"),
    ],
)
def test_an_entry_that_cannot_be_used_names_its_key(entry: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        build({"k": entry, "group": "choice(a, b)"})
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_empty_space_says_how_to_fill_it() -> None:
    with pytest.raises(InputError, match=r"Nothing to search: sweep\.space is empty"):
        build({}, "cnn=vgg")


def test_a_grid_has_every_value() -> None:
    space, _ = build({"a": "choice(x, y)", "b": "range(1, 6, 2)", "c": "range(0, 1, 0.25)"})
    assert space.grid() == {"a": ["x", "y"], "b": [1, 3, 5], "c": [0.0, 0.25, 0.5, 0.75]}


def test_a_grid_needs_values_that_can_be_counted() -> None:
    with pytest.raises(InputError, match=r"grid cannot search a, which is numbers 0\.0 to 1\.0"):
        build({"a": "interval(0, 1)"})[0].grid()
    conditional = {"a": "choice(1, 2)", "b": {"space": "choice(1, 2)", "when": {"a": 1}}}
    with pytest.raises(InputError, match="grid cannot search b, which has a `when`"):
        build(conditional)[0].grid()


def test_spaces_as_other_tools_write_them_are_read() -> None:
    typed = {
        "rate": {"type": "float", "low": 0.0001, "high": 0.01, "log": True},
        "group": {"depth": {"type": "int", "low": 1, "high": 7, "step": 2}, "kind": "choice(a, b)"},
        "size": {"type": "categorical", "choices": [16, 32, "a b"]},
        "only": {"space": {"type": "int", "low": 1, "high": 3}, "when": {"group.kind": ["a"]}},
    }
    own = {
        "rate": "tag(log, interval(0.0001, 0.01))",
        "group.depth": "range(1, 8, 2)",
        "group.kind": "choice(a, b)",
        "size": "choice(16, 32, 'a b')",
        "only": {"space": "int(interval(1, 3))", "when": {"group.kind": ["a"]}},
    }
    assert build(typed)[0].describe() == build(own)[0].describe()


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"type": "uniform", "low": 0, "high": 1}, "which cannot be read; write {type: float"),
        ({"type": "float", "low": 0.0, "high": 1.0, "base": 2}, "which cannot be read; write {type: float"),
        ({"type": "float", "low": 1.0, "high": 0.0}, "; write {type: float"),
        ({"type": "int", "low": 1}, "high"),
        ({"type": "categorical"}, "choices"),
    ],
)
def test_a_space_that_cannot_be_read_is_answered_with_the_line_to_write(entry: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError) as caught:
        build({"k": entry})
    assert str(caught.value).startswith("sweep.space.k is ")
    assert told in str(caught.value) and "\n" not in str(caught.value)


def test_its_size_counts_the_combinations_that_exist() -> None:
    parser = OverridesParser.create()
    conditional = {"transformer": "choice(a, none)", "depth": {"space": "range(1, 4)", "when": {"transformer": "a"}}}
    space, _ = build_space({**conditional, "heads": "choice(1, 2)"}, [], parser, {})
    assert space.size() == (3 + 1) * 2
    assert build_space({"rate": "interval(0, 1)"}, [], parser, {})[0].size() is None

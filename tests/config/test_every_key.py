"""No key of `conf/` is without effect: each is changed, and what it changes is looked at."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from captcha_exp.config import conf_dir, flatten, known_keys, load_config
from tests.config.command_effects import COMMAND_EFFECTS
from tests.config.dataset_effects import DATASET, STYLE
from tests.config.effects import Shown, ShownBy
from tests.config.experiment_effects import EXPERIMENT

EFFECTS = {**DATASET, **STYLE, **EXPERIMENT}
TESTS = Path(__file__).resolve().parents[1]
COMMANDS = (
    *("evaluate", "export", "label", "prepare", "predict", "promote", "relocate", "remove", "report", "serve", "ui"),
)
# Below them, keys are names that users choose.
NAMED = re.compile(r"^(dataset\.styles|dataset\.layouts)\.[^.]+\.")


@cache
def composed(name: str, overrides: tuple[str, ...], root: str = ".") -> dict[str, Any]:
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return OmegaConf.to_container(compose(name, [f"root={root}", *overrides]))  # type: ignore[return-value]


def leaves(values: Mapping[str, Any]) -> set[str]:
    """Keys joined with dots; what users name is a `*`."""
    return {NAMED.sub(r"\1.*.", key) for key in flatten(values)}


def choices() -> Iterator[tuple[str, ...]]:
    """The overrides that choose each file of `conf/`, once."""
    for path in sorted(conf_dir().rglob("*/*.yaml")):
        group, name = path.parent.relative_to(conf_dir()).as_posix(), path.stem
        if group == "dataset/style":
            yield ("dataset=styled", f"dataset/style=[{name}]")
        elif group in {"sweep", "experiment"}:
            yield (f"+{group}={name}",)
        elif group != "base":
            yield (f"{group}={name}",)


@pytest.mark.parametrize("chosen", list(choices()), ids=" ".join)
def test_every_key_of_a_choice_has_an_effect_in_the_table(chosen: tuple[str, ...]) -> None:
    assert leaves(composed("config", chosen)) - {"dataset.styles"} <= EFFECTS.keys() | SPACES
    # A space is searched, not set.


SPACES = {"sweep.space"} | {
    key
    for chosen in choices()
    for key in leaves(composed("config", chosen))
    if key.startswith("sweep.space.") and chosen[0].startswith("+sweep")
}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_key_of_a_command_has_an_effect_in_the_table(command: str) -> None:
    own = {f"{command}: {key}" for key in leaves(composed(command, ())) if key not in EFFECTS}
    assert own <= COMMAND_EFFECTS.keys()


def test_every_key_of_the_schema_is_in_the_table_also_those_of_choices_of_ones_own() -> None:
    typed = {key.replace("dataset.styles", "dataset.styles.*").replace("dataset.layouts", "dataset.layouts.*")
             for key in known_keys()}  # fmt: skip
    named = {key.split(": ")[1] for key in COMMAND_EFFECTS}
    assert typed - {"dataset.styles.*", "dataset.layouts.*"} <= EFFECTS.keys() | named


CASES = [(key, shown) for key, effects in EFFECTS.items() for shown in effects if isinstance(shown, Shown)]
ELSEWHERE = {shown.test for effects in [*EFFECTS.values(), *COMMAND_EFFECTS.values()] for shown in effects
             if isinstance(shown, ShownBy)}  # fmt: skip


@pytest.mark.parametrize(("key", "shown"), CASES, ids=[f"{key}-{index}" for index, (key, _) in enumerate(CASES)])
def test_a_key_changes_something(key: str, shown: Shown, places: Path) -> None:
    root = str(places / "root")
    before, changed = composed("config", shown.given, root), composed("config", shown.given, root)
    for one, value in {key: shown.value, **shown.also}.items():
        changed = with_value(changed, one.split("."), value, remove=value is None and one != key)
    assert observed(shown.observable, before, shown.given) != shown.observable(load_config(changed))


@pytest.mark.parametrize("test", sorted(ELSEWHERE))
def test_a_test_that_is_said_to_show_an_effect_exists(test: str) -> None:
    file, name = test.split("::")
    assert re.search(rf"^def {name}\(", (TESTS / file).read_text(), re.M)


SEEN: dict[tuple[Callable[..., Any], tuple[str, ...]], Any] = {}


def observed(observable: Callable[..., Any], values: dict[str, Any], given: tuple[str, ...]) -> Any:
    """What is seen without a change, once for all keys."""
    if (observable, given) not in SEEN:
        SEEN[observable, given] = observable(load_config(values))
    return SEEN[observable, given]


def with_value(values: dict[str, Any], path: list[str], value: Any, *, remove: bool) -> dict[str, Any]:
    """A copy with another value; `*` is the only name that is there."""
    name = next(iter(values)) if path[0] == "*" else path[0]
    if len(path) > 1:
        return {**values, name: with_value(values[name], path[1:], value, remove=remove)}
    rest = {key: kept for key, kept in values.items() if key != name}
    return rest if remove else {**rest, name: value}

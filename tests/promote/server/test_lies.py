"""A registry whose tags and aliases somebody changed: one line, and nothing moves."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from captcha_exp.errors import InputError
from captcha_exp.tracking import Registry, Store
from tests.promote.commands import go_back, have_promoted, promote_model

AddModel = Callable[[], tuple[str, str]]
LONG = 100_000  # the longest tag that a server takes


def moved(**changed: object) -> str:
    move = {"kind": "promotion", "champion": "1", "previous": None, "challenger": None, "by": None, "finished": False}
    return json.dumps(move | changed)


def is_refused(store: Store, registry: Registry, claims: Path, model: tuple[str, str] | None, message: str) -> None:
    """In one line, by a promotion or, without a model, a rollback, which changes nothing."""
    before = registry.aliases(), registry.model_tags(), registry.versions()
    with pytest.raises(InputError, match=message) as told:
        if model is None:
            go_back(store, registry, claims)
        else:
            promote_model(store, registry, claims, model)
    assert "\n" not in str(told.value)
    assert str(told.value).isprintable()
    assert len(str(told.value)) < 600
    assert (registry.aliases(), registry.model_tags(), registry.versions()) == before


def test_a_move_that_cannot_be_is_refused(
    store: Store, registry: Registry, add_model: AddModel, tmp_path: Path
) -> None:
    have_promoted(registry, [add_model(), add_model()])
    assert registry.register(*add_model(), {"verdict": "not promoted"}) == "3"
    lies = {
        "nonsense\x1b[31m": r"tag promotion\.move is 'nonsense\\x1b\[31m', which is no move of aliases",
        "[" * LONG: r"tag promotion\.move is '\[\[\[+', which is no move",
        moved(champion="9"): "an unfinished promotion makes version 9 champion, and there is none",
        moved(kind="rollback", previous="9"): "an unfinished rollback makes version 9 previous, and there is none",
        moved(champion="3"): "an unfinished promotion makes version 3 champion, which was not promoted",
        moved(finished=True): "alias champion is at version 2, but the last promotion left it at version 1",
        moved(champion="2", finished=True): "the alias previous is at version 1, but the last promotion left it absent",
    }
    for number, (move, problem) in enumerate(lies.items()):
        registry.set_model_tag("promotion.move", move)
        message = rf"^The registered model {registry.name} was changed by hand: .*{problem}.* its tag promotion\.move"
        is_refused(store, registry, tmp_path, None if number % 2 else ("m-0", "0"), message)
    registry.delete_model_tag("promotion.move")
    promote_model(store, registry, tmp_path, add_model())
    assert registry.aliases() == {"champion": "4", "previous": "2"}, "mended as the line says"


def test_an_alias_that_somebody_moved_is_noticed(
    store: Store, registry: Registry, add_model: AddModel, tmp_path: Path
) -> None:
    have_promoted(registry, [add_model(), add_model()])
    registry.register(*add_model(), {})
    lies = {
        ("champion", None): "the alias champion is absent, but the last promotion left it at version 2",
        ("champion", "1"): "the alias champion is at version 1, but the last promotion left it at version 2",
        ("previous", None): "the alias previous is absent, but the last promotion left it at version 1",
        ("previous", "3"): "the alias previous is at version 3, but the last promotion left it at version 1",
    }
    for number, ((alias, version), problem) in enumerate(lies.items()):
        registry.set_alias(alias, version)
        is_refused(store, registry, tmp_path, None if number % 2 else ("m-0", "0"), problem)
        registry.set_alias("champion", "2")
        registry.set_alias("previous", "1")


def test_a_champion_that_was_deleted_is_noticed(
    store: Store, registry: Registry, add_model: AddModel, tmp_path: Path
) -> None:
    have_promoted(registry, [add_model(), add_model()])
    store.client.delete_model_version(registry.name, "2")
    is_refused(store, registry, tmp_path, add_model(), "the alias champion is absent, but the last promotion left")


@pytest.mark.parametrize("replaced", ["2", "3", "9", "x" * LONG])
def test_a_rollback_believes_no_predecessor_that_cannot_be(
    store: Store, registry: Registry, add_model: AddModel, tmp_path: Path, replaced: str
) -> None:
    """Itself, the version that is left, another model's number, nothing."""
    have_promoted(registry, [add_model(), add_model(), add_model()])
    store.client.set_model_version_tag(registry.name, "2", "replaced", replaced)
    go_back(store, registry, tmp_path)
    assert registry.aliases() == {"champion": "2"}
    is_refused(store, registry, tmp_path, None, "has no previous champion to go back to")


def test_predecessors_in_a_circle_end(store: Store, registry: Registry, add_model: AddModel, tmp_path: Path) -> None:
    have_promoted(registry, [add_model(), add_model(), add_model()])
    registry.set_tags("1", {"replaced": "3"})
    champions = []
    for _ in range(3):
        go_back(store, registry, tmp_path)
        champions.append(registry.aliases()["champion"])
    assert champions == ["2", "1", "3"], "each a version that there is, and one for each command"


def test_a_claim_that_is_none_is_named_and_kept(store: Store, registry: Registry, tmp_path: Path) -> None:
    lies = {
        "nonsense\x1b[31m\n": r"its claim is 'nonsense\\x1b\[31m\\n'",
        "[" * LONG: r"its claim is '\[\[\[+'",
        "[1]": r"its claim is '\[1\]'",
        '{"user": 1}': "its claim is ",
        '{"user": "a", "host": "b\\u001b[31m", "since": "c"}': "its claim is ",
        json.dumps({"user": "a" * 5_000, "host": "b", "since": "c"}): r"a{60} on b, since c\)",
    }
    for claim, told in lies.items():
        registry.set_model_tag("promotion.claim." + "0" * 32, claim)
        message = rf"^Another promotion of {registry.name} is under way \({told}.* the registered model's tag promotion"
        is_refused(store, registry, tmp_path, ("m-0", "0"), message)


def test_a_claim_never_leads_to_a_file(store: Store, registry: Registry, tmp_path: Path) -> None:
    """The file of that name was taken for a dead promotion's, and deleted."""
    file = tmp_path / "thesis"
    file.write_text("years")
    for name in (str(file), "x" * 200):
        registry.set_model_tag(f"promotion.claim.{name}", "{}")
        is_refused(store, registry, tmp_path / "claims", ("m-0", "0"), re.escape(registry.name) + " is under way")
        registry.delete_model_tag(f"promotion.claim.{name}")
    assert file.read_text() == "years"

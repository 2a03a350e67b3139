"""What `promote` does to a registry once the verdict is there, without the seconds of judging."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from captcha_exp.promote.exclusive import exclusive
from captcha_exp.promote.registry_steps import promotion_steps, roll_back, run_steps
from captcha_exp.tracking import Move, Registry, Store
from captcha_exp.tracking.answering import short_patience, told_in_one_line

OnStep = Callable[[str], None]


def silent(name: str) -> None:
    """Nobody listens."""


def promote_model(
    store: Store,
    registry: Registry,
    claims: Path,
    model: tuple[str, str],
    on_step: OnStep = silent,
    *,
    promoted: bool = True,
) -> None:
    """`promote run=...` of a model and its run."""
    with told_in_one_line(store.uri), short_patience(), exclusive(store, registry, claims) as turn:
        registry.finish_move()
        steps = promotion_steps(registry, *model, {"sweep": "s"}, promoted=promoted)
        run_steps(steps, lambda name: (turn.check(), on_step(name))[-1])


def have_promoted(registry: Registry, models: Sequence[tuple[str, str]]) -> None:
    """Make in a few requests what promotions of these models, one after the other, leave."""
    registry.ensure()
    for before, model in enumerate(models):
        registry.register(*model, {"sweep": "s"} | ({"replaced": str(before)} if before else {}))
    move = Move("promotion", str(len(models)), str(len(models) - 1) if len(models) > 1 else None, None)
    registry.write_move(move)
    registry.finish_move()


def go_back(store: Store, registry: Registry, claims: Path, on_step: OnStep = silent) -> None:
    """`promote rollback=true`."""
    with told_in_one_line(store.uri), short_patience(), exclusive(store, registry, claims) as turn:
        roll_back(registry, lambda name: (turn.check(), on_step(name))[-1], turn=turn)


def state(registry: Registry) -> dict[str, Any]:
    """All that a registry keeps of a model, but for times and for what tells one test's models from another's."""
    versions = registry.versions()
    first = {version.model_id: version.version for version in reversed(versions)}
    return {
        "aliases": registry.aliases(),
        "tags": {key: {**json.loads(value), "by": "somebody"} for key, value in registry.model_tags().items()},
        "versions": {
            version.version: {"of": first[version.model_id], **version.tags, **_without_time(version.tags)}
            for version in versions
        },
    }


def _without_time(tags: dict[str, str]) -> dict[str, str]:
    return {"rolled_back": "some time"} if "rolled_back" in tags else {}

"""The steps that make a verdict the state of the registry, each of which may be the last before a kill."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from captcha_exp.errors import InputError
from captcha_exp.tracking import Move, Registry

# Makes a form of a model that can be served and checks it; its tags are kept on the version.
BuildServable = Callable[[], Mapping[str, str]]


@dataclass(frozen=True)
class Step:
    """One thing that is done whole or not at all."""

    name: str
    do: Callable[[], None]


def run_steps(steps: Sequence[Step], on_step: Callable[[str], None] = lambda name: None) -> None:
    """Do the steps in order; `on_step` hears the name of each before it is done."""
    for step in steps:
        on_step(step.name)
        step.do()


def promotion_steps(
    registry: Registry,
    model_id: str,
    run_id: str,
    tags: Mapping[str, str],
    *,
    promoted: bool,
    build_servable: BuildServable | None = None,
) -> list[Step]:
    """What is done after the verdict; the caller keeps other promotions out.

    The aliases are decided in one write, `decide`. Before it nothing has changed for anybody who reads an alias, and
    the command can be typed again. After it the next command finishes what is left, whatever it was typed for.

    Args:
        registry: the registered model.
        model_id: of the challenger.
        run_id: that made it.
        tags: what led to the version.
        promoted: whether it becomes champion.
        build_servable: makes and checks what is served, before anything is registered; None leaves that out.
    """
    served: dict[str, str] = {}
    version: list[str] = []

    def build() -> None:
        if build_servable is not None:
            served.update(build_servable())

    def register() -> None:
        registry.ensure()
        version.append(registry.register(model_id, run_id, {**tags, **served}))

    def write() -> None:
        registry.write_move(_move(registry, version[0], promoted=promoted))

    return [Step("build servable", build), Step("register", register), Step("decide", write), *_aliases(registry)]


def roll_back(registry: Registry, on_step: Callable[[str], None] = lambda name: None) -> Move:
    """Make the previous champion champion again; finishes a rollback that was interrupted, instead of a second one.

    Raises:
        InputError: there is no previous champion.
    """
    pending = registry.finish_move()
    if pending is not None and pending.kind == "rollback":
        return pending
    aliases = registry.aliases()
    if "champion" not in aliases or "previous" not in aliases:
        raise InputError(f"{registry.name} has no previous champion to go back to.")
    demoted, restored = aliases["champion"], aliases["previous"]
    move = Move("rollback", restored, registry.version(restored).tags.get("replaced"), aliases.get("challenger"))
    when = datetime.now(UTC).isoformat(timespec="seconds")
    first = [
        Step("note", lambda: registry.set_tags(demoted, {"rolled_back": when})),
        Step("decide", lambda: registry.write_move(move)),
    ]
    run_steps([*first, *_aliases(registry)], on_step)
    return move


def _move(registry: Registry, version: str, *, promoted: bool) -> Move:
    aliases = registry.aliases()
    champion, challenger = aliases.get("champion"), aliases.get("challenger")
    if not promoted:
        return Move("promotion", champion, aliases.get("previous"), version)
    others_challenger = None if challenger == version else challenger
    if champion == version:  # it was decided before, and must not become its own predecessor
        return Move("promotion", version, aliases.get("previous"), others_challenger)
    if champion is not None:
        registry.set_tags(version, {"replaced": champion})
    return Move("promotion", version, champion, others_challenger)


def _aliases(registry: Registry) -> list[Step]:
    def pending() -> Move:
        move = registry.pending_move()
        if move is None:
            raise RuntimeError("The move was not written down.")
        return move

    return [
        Step("champion", lambda: registry.set_alias("champion", pending().champion)),
        Step("previous", lambda: registry.set_alias("previous", pending().previous)),
        Step("challenger", lambda: registry.set_alias("challenger", pending().challenger)),
        Step("forget move", registry.forget_move),
    ]

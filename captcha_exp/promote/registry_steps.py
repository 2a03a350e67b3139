"""The steps that apply a verdict to the registry. The process may be killed after any of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from captcha_exp.errors import InputError
from captcha_exp.promote.exclusive import ALONE, Turn
from captcha_exp.tracking import Move, Registry

# Makes and checks the servable form of a model. The returned tags are kept on the version.
BuildServable = Callable[[], Mapping[str, str]]


@dataclass(frozen=True)
class Step:
    """One change that is made completely or not at all."""

    name: str
    do: Callable[[], None]


def run_steps(steps: Sequence[Step], on_step: Callable[[str], None] = lambda name: None) -> None:
    """Do the steps in order. `on_step` receives the name of each step before it is done."""
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
    description: str = "",
    build_servable: BuildServable | None = None,
) -> list[Step]:
    """The steps after the verdict. The caller keeps other promotions out.

    One write, `decide`, settles the aliases. Before it nothing has changed for readers of an alias, and the user can
    type the command again. After it the next command of any kind finishes the remaining steps.

    Args:
        registry: the registered model.
        model_id: id of the challenger.
        run_id: the run that made it.
        tags: the reasons for the version.
        promoted: whether it becomes champion.
        description: what MLflow shows on the version's page, in Markdown.
        build_servable: makes and checks the servable form before anything is registered; None skips this step.
    """
    served: dict[str, str] = {}
    version: list[str] = []

    def build() -> None:
        if build_servable is not None:
            served.update(build_servable())

    def register() -> None:
        registry.ensure()
        version.append(registry.register(model_id, run_id, {**tags, **served}, description))

    return [
        Step("build servable", build),
        Step("register", register),
        *_moving(registry, lambda: _move(registry, version[0], promoted=promoted)),
    ]


def roll_back(
    registry: Registry,
    on_step: Callable[[str], None] = lambda name: None,
    check: Callable[[str], object] = lambda version: None,
    turn: Turn = ALONE,
) -> Move:
    """Make the previous champion champion again. If a rollback was interrupted, finish it and start no second one.

    Args:
        registry: the registered model. The caller keeps other promotions out.
        on_step: receives the name of each step before it is done.
        check: raises InputError if a version cannot be champion.
        turn: names the earlier commands that never recorded their end.

    Raises:
        InputError: there is no previous champion, or it cannot be champion.
    """
    pending = registry.finish_move(check)
    if pending is not None and pending.kind == "rollback":
        return pending
    last = registry.last_move()
    if last is not None and last.kind == "rollback" and last.by in turn.interrupted:
        return last
    aliases = registry.aliases()
    demoted, restored = aliases.get("champion"), aliases.get("previous")
    if demoted is None or restored is None or demoted == restored:
        raise InputError(f"{registry.name} has no previous champion to go back to.")
    check(restored)
    before = _replaced(registry, restored, demoted)
    move = Move("rollback", restored, before, aliases.get("challenger"), turn.token)
    run_steps(rollback_steps(registry, demoted, move), on_step)
    return move


def rollback_steps(registry: Registry, demoted: str, move: Move) -> list[Step]:
    """The steps that go back from the version `demoted`."""
    when = datetime.now(UTC).isoformat(timespec="seconds")
    return [
        Step("note", lambda: registry.set_tags(demoted, {"rolled_back": when})),
        *_moving(registry, lambda: move),
    ]


def _replaced(registry: Registry, version: str, demoted: str) -> str | None:
    """The champion before a version, if the version's tag can be true. Never the version that is rolled back."""
    found = registry.find_version(version)
    before = None if found is None else found.tags.get("replaced")
    if before is None or before in (version, demoted):
        return None
    return None if registry.find_version(before) is None else before


def _move(registry: Registry, version: str, *, promoted: bool) -> Move:
    aliases = registry.aliases()
    champion, challenger = aliases.get("champion"), aliases.get("challenger")
    if not promoted:
        return Move("promotion", champion, aliases.get("previous"), version)
    others_challenger = None if challenger == version else challenger
    if champion == version:  # the move was decided before; a version must not become its own predecessor
        return Move("promotion", version, aliases.get("previous"), others_challenger)
    if champion is not None:
        registry.set_tags(version, {"replaced": champion})
    return Move("promotion", version, champion, others_challenger)


def _moving(registry: Registry, decide: Callable[[], Move]) -> list[Step]:
    # The move that is decided here is carried out, even if somebody overwrites the tag meanwhile.
    decided: list[Move] = []

    def write() -> None:
        decided.append(decide())
        registry.write_move(decided[0])

    return [
        Step("decide", write),
        Step("champion", lambda: registry.set_alias("champion", decided[0].champion)),
        Step("previous", lambda: registry.set_alias("previous", decided[0].previous)),
        Step("challenger", lambda: registry.set_alias("challenger", decided[0].challenger)),
        Step("finish", lambda: registry.mark_finished(decided[0])),
    ]

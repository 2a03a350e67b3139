"""The command that makes a model the one in use, if it is better on the test split."""

import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from captcha_exp.command_line import hydra_command

if TYPE_CHECKING:
    from captcha_exp.config import PromotionConfig
    from captcha_exp.dataset import PreparedDataset
    from captcha_exp.promote.challenger import Chosen
    from captcha_exp.promote.contest import Contest
    from captcha_exp.promote.exclusive import Turn
    from captcha_exp.tracking import Registry, Store

_log = logging.getLogger(__package__)  # the name is `__main__`
# Short keys that a user types. Hydra would look for `sweep=NAME` in the folder conf/sweep.
_SHORT = {"sweep=": "challenger.sweep=", "run=": "challenger.run="}


def main() -> int:
    """Promote what the command line names, e.g. `sweep=attention`, `run=RUN_ID` or `rollback=true`."""
    return hydra_command(_promote, "promote", with_whole_keys(sys.argv[1:]))


def with_whole_keys(arguments: Sequence[str]) -> list[str]:
    """Arguments in which `sweep=` and `run=` are replaced by the full keys."""
    return [
        next(
            (whole + argument.removeprefix(short) for short, whole in _SHORT.items() if argument.startswith(short)),
            argument,
        )
        for argument in arguments
    ]


def _promote(composed: DictConfig) -> None:
    from captcha_exp.config import PromotionConfig, load

    promote(load(PromotionConfig, composed))


def promote(config: "PromotionConfig", on_step: Callable[[str], None] = lambda name: None) -> None:
    """Choose a run, refit it, judge and register its model, and move the aliases. Or go back to the previous champion.

    Each decision is logged with its reason, at level INFO.

    Args:
        config: which model, by which rule.
        on_step: receives the name of each step that changes the registry, before the step is done.

    Raises:
        InputError: there is nothing to promote, or it cannot be judged fairly.
    """
    # Imported after the checks: the message about a mistyped key must not wait for MLflow and TensorFlow.
    from captcha_exp.terminal import quiet_stderr
    from captcha_exp.tracking import Registry, open_store
    from captcha_exp.tracking.answering import short_patience, told_in_one_line

    with short_patience():
        store = open_store(config.tracking, config.root_path)
    registry = Registry(store, config.model_name)
    with quiet_stderr(config.root_path):
        from captcha_exp.promote.challenger import choose
        from captcha_exp.promote.exclusive import exclusive
        from captcha_exp.promote.refit import refit
    with told_in_one_line(store.uri):
        if config.dry_run:
            with short_patience():
                _dry_run(store, registry, choose(store, config.challenger), config)
            return
        # Trainings wait for the store as long as MLflow itself does.
        chosen = None if config.rollback else refit(store, choose(store, config.challenger), config)
        claims = config.root_path / "outputs" / "claims"
        with short_patience(), exclusive(store, registry, claims) as turn:
            step = partial(_checked, turn.check, on_step)
            if chosen is None:
                _roll_back(store, registry, turn, step)
            else:
                _judge(store, registry, chosen, config, step)


def _checked(check: Callable[[], None], on_step: Callable[[str], None], name: str) -> None:
    check()
    on_step(name)


def _roll_back(store: "Store", registry: "Registry", turn: "Turn", on_step: Callable[[str], None]) -> None:
    from captcha_exp.promote.evidence import load_version
    from captcha_exp.promote.registry_steps import roll_back

    move = roll_back(registry, on_step, partial(load_version, store, registry), turn)
    back = f"`previous` is version {move.previous}" if move.previous else "there is no `previous` before it"
    _log.info("rolled back: version %s of %s is champion again; %s", move.champion, registry.name, back)


def _judge(
    store: "Store",
    registry: "Registry",
    chosen: "Chosen",
    config: "PromotionConfig",
    on_step: Callable[[str], None],
) -> None:
    from captcha_exp.promote.contest import Contest
    from captcha_exp.promote.evidence import load_version

    move = registry.finish_move(partial(load_version, store, registry))
    if move is not None:
        _log.info("finished an interrupted %s: version %s of %s is champion", move.kind, move.champion, registry.name)
    contest = Contest(store, registry, chosen, config)
    if contest.is_over:
        _log.info("nothing to do: it is champion of %s already", registry.name)
        return
    judgement = contest.judge()
    wanted = config.servable and judgement.verdict.promoted
    build = partial(_build_servable, store, contest, judgement.dataset) if wanted else None
    contest.record(judgement, on_step, build)


def _build_servable(store: "Store", contest: "Contest", dataset: "PreparedDataset") -> Mapping[str, str]:
    from captcha_exp.promote.servable import add_servable

    return add_servable(store, contest.challenger, dataset.validation.images)


def _dry_run(store: "Store", registry: "Registry", chosen: "Chosen", config: "PromotionConfig") -> None:
    from captcha_exp.promote.contest import Contest

    registry.check_aliases()
    contest = Contest(store, registry, chosen, config)
    if config.refit.seeds:
        _log.info("dry run: the chosen run is judged as it is, without the refit")
    verdict = contest.judge().verdict
    would = "would" if verdict.promoted else "would not"
    by_force = " by force" if verdict.forced_by is not None else ""
    _log.info("dry run: it %s become champion%s; nothing was changed", would, by_force)


if __name__ == "__main__":
    sys.exit(main())

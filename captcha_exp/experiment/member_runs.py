"""Shows each member of a training as a run of its own, below the run of all."""

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from captcha_exp.experiment.epoch_line import EVERY_EPOCH, epoch_line, right
from captcha_exp.experiment.run_artifacts import log_curves
from captcha_exp.interruption import raise_if_interrupted
from captcha_exp.tracking import Store, TrackedRun

if TYPE_CHECKING:
    from captcha_exp.training.member_plan import Member
    from captcha_exp.training.members import TrainedMember

_log = logging.getLogger(__name__)
ACCURACY = "val/sequence_accuracy"


class MemberRuns:
    """Receives what the members' processes tell. Epochs, seed and best figures of `member-1` are a run of that name."""

    def __init__(self, store: Store, parent_run_id: str, members: Sequence["Member"], stack: ExitStack) -> None:
        """Begin the runs, or continue them. `stack` ends those that are still open, with the exception that ended it.

        Args:
            store: where the runs are.
            parent_run_id: the run of all members.
            members: their trainings.
            stack: is open while the members train.
        """
        self._runs: dict[int, TrackedRun] = {}
        self._known: dict[int, int] = {}
        for member in members:
            tags = {"kind": "member", "member": str(member.number)}
            run = store.start_child(f"member-{member.number}", parent_run_id, tags)
            run.log_config(member.config)
            self._known[member.number] = run.last_epoch(EVERY_EPOCH)
            self._runs[member.number] = run
        stack.push(self._end_open)

    def on_epoch(self, member: "Member", epoch: int, metrics: dict[str, float]) -> None:
        """Keep and tell an epoch."""
        if epoch >= self._known[member.number]:  # the store already has the epochs of a continued run
            self._runs[member.number].log_epoch(epoch + 1, metrics)
        raise_if_interrupted()
        _log.info("member %d: %s", member.number, epoch_line(epoch + 1, member.config.training, metrics))

    def on_end(self, trained: "TrainedMember") -> None:
        """Keep and tell what a member reached."""
        number, kept = trained.member.number, trained.best_epoch
        best = trained.history[kept]
        run = self._runs.pop(number)
        run.log_metrics({"best/epoch": float(kept + 1)})
        if ACCURACY in best:
            run.log_metrics({f"best/{name}": value for name, value in best.items() if name.startswith("val/")})
            log_curves(run, trained.history, kept)
            _log.info("member %d: best epoch %d, %s", number, kept + 1, right(best[ACCURACY]))
        else:
            _log.info("member %d: kept the last epoch, %d", number, kept + 1)
        run.end()

    def _end_open(self, *raised: object) -> None:
        for run in self._runs.values():
            run.__exit__(*raised)  # type: ignore[arg-type]

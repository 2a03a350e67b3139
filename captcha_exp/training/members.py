"""Trains several members, as many at once as there are cores."""

import signal
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from queue import SimpleQueue

import numpy as np

from captcha_exp.errors import DivergedError, InputError
from captcha_exp.training.best_epoch import best_epoch
from captcha_exp.training.member_plan import Member
from captcha_exp.training.member_process import MemberProcess, Message, is_finished
from captcha_exp.training.training_state import load_checkpoint

# Called after each epoch of a member with the epoch's index and metrics.
MemberCallback = Callable[[Member, int, dict[str, float]], None]


@dataclass(frozen=True)
class TrainedMember:
    """A member after its training. `weights` are those of the epoch `best_epoch` (from 0) of its `history`."""

    member: Member
    weights: list[np.ndarray]
    history: list[dict[str, float]]

    @property
    def best_epoch(self) -> int:
        """The epoch that was kept."""
        return best_epoch(self.history)


def train_members(
    members: Sequence[Member],
    processes: int,
    on_epoch: MemberCallback,
    on_end: Callable[[TrainedMember], None],
) -> list[TrainedMember]:
    """Train each member in a process of its own. A member that was trained before is not trained again.

    Args:
        members: all members.
        processes: how many are trained at once.
        on_epoch: is called after each epoch, also for the epochs that a member's checkpoint brought.
        on_end: is called when a member is trained.

    Raises:
        InputError: what a training raises; or a process was killed. All other members are ended.
        DivergedError: see `train`.
    """
    messages: SimpleQueue[tuple[Member, Message]] = SimpleQueue()
    trained: dict[int, TrainedMember] = {}
    waiting = [member for member in members if not is_finished(member)]
    for member in members:
        if is_finished(member):
            trained[member.number] = _told_again(member, on_epoch, on_end)
    with ExitStack() as stack:
        running: dict[int, MemberProcess] = {}
        while waiting or running:
            while waiting and len(running) < processes:
                member = waiting.pop(0)
                running[member.number] = MemberProcess(member, messages)
                stack.callback(running[member.number].end)
            member, message = messages.get()
            if isinstance(message, tuple):
                on_epoch(member, *message)
            elif message is not None:
                raise _named(member, message)
            else:
                _check_ended_well(member, running.pop(member.number).end())
                trained[member.number] = _trained(member)
                on_end(trained[member.number])
    return [trained[member.number] for member in members]


def _told_again(member: Member, on_epoch: MemberCallback, on_end: Callable[[TrainedMember], None]) -> TrainedMember:
    done = _trained(member)
    for epoch, metrics in enumerate(done.history):
        on_epoch(member, epoch, metrics)
    on_end(done)
    return done


def _trained(member: Member) -> TrainedMember:
    checkpoint = load_checkpoint(member.folder)
    if checkpoint is None:
        raise InputError(f"The state of member {member.number} in {member.folder} was removed; type the command again.")
    return TrainedMember(member, checkpoint.best_weights, checkpoint.history)


def _check_ended_well(member: Member, code: int) -> None:
    if is_finished(member):
        return
    how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    raise InputError(
        f"The process that trained member {member.number} of training.members was ended from outside ({how}), maybe "
        "because memory was short. The same command goes on; with `training.threads=1` it trains one at a time."
    )


def _named(member: Member, error: BaseException) -> BaseException:
    """The exception of a member, saying whose it is."""
    for kind in (InputError, DivergedError):
        if isinstance(error, kind):
            return kind(f"Member {member.number}: {error}")
    return error

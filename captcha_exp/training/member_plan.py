"""Plans the trainings of several members: what each learns from, with which seed, and how many at once."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from captcha_exp.child_processes import cores
from captcha_exp.config import Combine, Config, MemberData, TrainingConfig
from captcha_exp.dataset import Split

_STREAM = 2  # so these numbers differ from those that shuffle the images of an epoch


@dataclass(frozen=True)
class Member:
    """One member's training, for any process.

    `number` counts from 1. `config` is the configuration of this training alone. `characters[i]` is class `i + 1`.
    `initial_weights` is what `keras.Model.get_weights` returns, or None for random weights. `folder` keeps its state.
    """

    number: int
    config: Config
    learnt: Split
    held_out: Split
    characters: str
    initial_weights: list[np.ndarray] | None
    folder: Path


def plan_members(
    config: Config,
    learnt: Split,
    held_out: Split,
    characters: str,
    initial_weights: list[np.ndarray] | None,
    folder: Path,
) -> list[Member]:
    """Plan the trainings of `training.members`.

    Args:
        config: the configuration of all of them.
        learnt: the training images. With `training.member_data=folds`, each member learns from all parts but one.
        held_out: these images judge every member.
        characters: `characters[i]` is class `i + 1`.
        initial_weights: all members start from these weights; None starts each from random weights of its own.
        folder: each member has a folder in it.
    """
    parts = _parts(config.training, len(learnt))
    return [
        Member(
            number,
            _alone(config, number, max(1, _cores(config.training) // at_once(config.training))),
            learnt if parts is None else learnt.only(np.flatnonzero(parts != number)),
            held_out,
            characters,
            initial_weights,
            folder / f"member-{number}",
        )
        for number in range(1, config.training.members + 1)
    ]


def at_once(training: TrainingConfig) -> int:
    """How many members are trained at the same time: one for each core that `training.threads` allows."""
    return min(training.members, _cores(training))


def plan_student(config: Config) -> Config:
    """The configuration of the training that learns from the vote of all members. It has all cores."""
    return _alone(config, config.training.members + 1, config.training.threads)


def _cores(training: TrainingConfig) -> int:
    return training.threads or cores()


def _rounds(training: TrainingConfig) -> int:
    """How many trainings follow one another."""
    return -(-training.members // at_once(training)) + (training.combine is Combine.distil)


def _parts(training: TrainingConfig, count: int) -> np.ndarray | None:
    """For each image the member that does not learn from it, int (N,); None if every member learns from all."""
    if training.member_data is MemberData.all:
        return None
    return np.random.default_rng([training.seed, _STREAM]).permutation(count) % training.members + 1


def _alone(config: Config, number: int, threads: int | None) -> Config:
    training = config.training
    own = {
        "members": 1,
        "seed": training.seed + number - 1,
        "threads": threads,
        "minutes": None if training.minutes is None else training.minutes / _rounds(training),
    }
    return config.model_copy(update={"training": training.model_copy(update=own)})

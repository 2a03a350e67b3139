"""What each member learns from, with which seed, and how many are trained at once."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from captcha_exp.config import Config
from captcha_exp.dataset import Split
from captcha_exp.dataset.mapped_images import MappedImages
from captcha_exp.training.member_plan import Member, at_once, plan_members, plan_student

Compose = Callable[..., Config]


def split(count: int) -> Split:
    names = [f"{index}.png" for index in range(count)]
    images = MappedImages(np.zeros((count, 2, 3), np.uint8), np.arange(count))
    return Split("train", images, [str(index) for index in range(count)], names, names)


def planned(config: Config, count: int = 11) -> list[Member]:
    return plan_members(config, split(count), split(2), "0123456789", None, Path("state"))


def test_every_member_learns_from_all_images_with_a_seed_of_its_own(compose: Compose) -> None:
    members = planned(compose("training.members=3", "training.seed=5", "training.threads=2"))
    assert [member.config.training.seed for member in members] == [5, 6, 7]
    assert {member.config.training.members for member in members} == {1}
    assert {tuple(member.learnt.labels) for member in members} == {tuple(split(11).labels)}
    assert len({member.folder for member in members}) == 3


def test_with_folds_each_image_is_kept_from_one_member(compose: Compose) -> None:
    choices = ["training.members=3", "training.member_data=folds"]
    members = planned(compose(*choices))
    everything = set(split(11).labels)
    kept = [everything - set(member.learnt.labels) for member in members]
    assert sorted(len(labels) for labels in kept) == [3, 4, 4]
    assert set().union(*kept) == everything
    other = planned(compose(*choices, "training.seed=1"))
    assert [member.learnt.labels for member in other] != [member.learnt.labels for member in members]


@pytest.mark.parametrize(
    ("members", "threads", "together", "each", "minutes"),
    [(4, 1, 1, 1, 1.5), (4, 2, 2, 1, 3), (3, 2, 2, 1, 3), (2, 2, 2, 1, 6), (2, 8, 2, 4, 6)],
)
def test_members_share_the_cores_and_their_rounds_the_minutes(
    members: int, threads: int, together: int, each: int, minutes: float, compose: Compose
) -> None:
    config = compose(
        f"training.members={members}", f"training.threads={threads}", "training.epochs=null", "training.minutes=6"
    )
    assert at_once(config.training) == together
    plan = planned(config)
    assert {member.config.training.threads for member in plan} == {each}
    assert {member.config.training.minutes for member in plan} == {minutes}


def test_a_network_that_learns_from_the_vote_has_a_round_of_its_own(compose: Compose) -> None:
    minutes = ["training.threads=2", "training.epochs=null", "training.minutes=6"]
    config = compose("training.members=4", "training.combine=distil", *minutes)
    student = plan_student(config).training
    assert (student.members, student.threads, student.minutes, student.seed) == (1, 2, 2, 4)
    assert {member.config.training.minutes for member in planned(config)} == {2}

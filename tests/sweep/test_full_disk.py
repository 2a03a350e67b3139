"""A sweep whose disk gets full: one line, no trial that failed, and the same command goes on."""

from collections.abc import Iterator

import pytest

from tests.small_disk import SmallDisk
from tests.sweep.conftest import Sweep


@pytest.fixture
def sweep_there(small_disk: SmallDisk) -> Iterator[Sweep]:
    """A sweep with its database on the small disk, and what its trials and its terminal get elsewhere."""
    folder = small_disk.path.parent
    started = Sweep(folder)
    started.storage = f"sqlite:///{small_disk.path}/sweeps/t/study.db"
    yield started
    started.end()


def told_once(printed: str) -> None:
    errors = [line for line in printed.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, printed
    assert "There is no room on the disk of " in errors[0] and "type the same command again" in errors[0]
    assert "Traceback" not in printed


def test_a_disk_that_gets_full_in_the_middle_fails_no_trial(sweep_there: Sweep, small_disk: SmallDisk) -> None:
    arguments = [f"root={small_disk.path}", "sweep.max_retries=0", "sweep.n_trials=4"]
    process = sweep_there.start(*arguments, EPOCH_S="0.5")
    sweep_there.wait_for_begun(2)
    small_disk.leave(5)
    assert process.wait(240) == 2, sweep_there.printed()
    told_once(sweep_there.printed())
    small_disk.make_room()
    code, printed = sweep_there.run(*arguments)
    assert code == 0, printed
    outcomes = sweep_there.outcomes()
    assert outcomes["finished"] == 4
    assert set(outcomes) <= {"finished", "lost"}, "a death for want of room is not counted"
    assert not list((small_disk.path / "sweeps/t").glob(".no-room*"))


def test_a_study_is_made_whole_or_not_at_all(sweep_there: Sweep, small_disk: SmallDisk) -> None:
    """Made halfway, it lacked the index that keeps two studies from having one name, and could not be used again."""
    arguments = [f"root={small_disk.path}", "sweep.n_trials=2", "sweep.workers=1"]
    small_disk.leave(20)
    code, printed = sweep_there.run(*arguments)
    assert code == 2
    told_once(printed)
    assert not [path for path in small_disk.path.rglob("*study.db*") if path.suffix != ".lock"]
    small_disk.make_room()
    assert sweep_there.run(*arguments)[0] == 0
    kept = {path: path.read_bytes() for path in (small_disk.path / "sweeps/t").glob("*.csv")}
    assert kept
    small_disk.leave(0)
    code, printed = sweep_there.run(*arguments)
    assert code == 2
    told_once(printed)
    assert {path: path.read_bytes() for path in (small_disk.path / "sweeps/t").glob("*.csv")} == kept

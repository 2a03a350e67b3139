"""A sweep of real processes that are killed, interrupted and started again."""

import os
import signal
import time

import pytest

from captcha_exp.sweep.live_page import page_of
from captcha_exp.sweep.tally import TrialOutcome
from tests.sweep.conftest import Process, Sweep, eventually, is_alive
from tests.warm_children import children

SLOW = {"EPOCH_S": "0.25"}


def kill_all(process: Process) -> None:
    workers = children(process.pid)
    for pid in [process.pid, *workers]:
        os.kill(pid, signal.SIGKILL)
    process.wait()
    eventually(lambda: True if not any(is_alive(pid) for pid in workers) else None)


def test_a_killed_worker_is_replaced_and_its_trial_retried(sweep: Sweep) -> None:
    process = sweep.start(**SLOW)
    os.kill(sweep.wait_for_begun()[-1], signal.SIGKILL)
    assert process.wait(240) == 0
    assert sweep.outcomes() == {"finished": 5, "lost": 1}
    assert "killed by SIGKILL" in sweep.printed()
    tally = sweep.tally()
    [lost] = tally.of(TrialOutcome.lost)
    [retried] = [t for t in tally.trials if t.system_attrs.get("retry_history") == [lost.number]]
    assert retried.params == lost.params


def test_after_killing_everything_the_same_command_completes_the_total(sweep: Sweep) -> None:
    process = sweep.start("sweep.n_trials=6", **SLOW)
    sweep.wait_for_begun(4)
    kill_all(process)
    before = {t.number: (t.params, t.values, t.datetime_complete) for t in sweep.tally().ended}
    assert before
    # Dead processes of this machine are known at once: a grace of four minutes would end this in a timeout.
    code, printed = sweep.run("sweep.n_trials=6")
    assert code == 0, printed
    tally = sweep.tally()
    after = {t.number: (t.params, t.values, t.datetime_complete) for t in tally.ended}
    assert len(after) == 6
    assert {number: after[number] for number in before} == before
    assert not tally.running
    assert f"{len(before)} of them ended before" in printed


def test_workers_stop_when_their_supervisor_is_killed(sweep: Sweep) -> None:
    """They also end the page, which would load itself again for ever."""
    page = page_of(sweep.folder / "sweeps/t")
    page.parent.mkdir(parents=True)
    page.write_text('<meta http-equiv="refresh" content="30"><p class="notice">Running: 0 of 5 trials ended.</p>')
    process = sweep.start(**SLOW)
    sweep.wait_for_begun(2)
    workers = children(process.pid)
    process.kill()
    process.wait()
    eventually(lambda: True if not any(is_alive(pid) for pid in workers) else None, timeout_s=30)
    assert not sweep.tally().running
    killed = "Not running any more, its process was killed: 0 of 5 trials ended."
    assert page.read_text() == f'<p class="notice">{killed}</p>'


@pytest.mark.parametrize(("number", "expected"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_everything_and_loses_nothing(sweep: Sweep, number: int, expected: int) -> None:
    process = sweep.start("sweep.n_trials=4", EPOCH_S="0.4")
    sweep.wait_for_begun(2)
    workers = children(process.pid)
    asked = time.monotonic()
    process.send_signal(number)
    assert process.wait(20) == expected
    assert time.monotonic() - asked < 6
    assert not any(is_alive(pid) for pid in workers)
    assert not sweep.tally().running
    assert "interrupted" in sweep.printed()
    assert "Go on with it: python " in sweep.printed()
    assert sweep.run("sweep.n_trials=4")[0] == 0
    outcomes = sweep.outcomes()
    assert outcomes["finished"] == 4
    assert outcomes["lost"] >= 1


def test_interrupting_again_and_again_uses_up_no_retries(sweep: Sweep) -> None:
    for start in range(2):
        process = sweep.start("sweep.n_trials=1", "sweep.max_retries=0", EPOCH_S="0.4")
        sweep.wait_for_begun(start + 1)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
    assert sweep.run("sweep.n_trials=1", "sweep.max_retries=0")[0] == 0
    assert sweep.outcomes() == {"finished": 1, "lost": 2}


def test_a_trial_that_kills_every_worker_is_given_up(sweep: Sweep) -> None:
    code, printed = sweep.run("sweep.n_trials=3", "sweep.max_retries=1", KILL_TRIAL="0")
    assert code == 3, printed
    assert sweep.outcomes() == {"failed": 1, "finished": 2, "lost": 1}
    assert "its worker died 2 times, perhaps out of memory" in printed


def test_two_supervisors_share_one_study(sweep: Sweep) -> None:
    first = sweep.start("sweep.n_trials=9", EPOCH_S="0.1")
    second = sweep.start("sweep.n_trials=9", EPOCH_S="0.1")
    assert first.wait(240) == 0, sweep.printed(0)
    assert second.wait(30) == 0, sweep.printed(1)
    assert sweep.outcomes() == {"finished": 9}
    # Each process took a part.
    assert len(set(sweep.wait_for_begun(9))) == 4


def test_a_stopped_supervisor_leaves_its_trials_to_the_other(sweep: Sweep) -> None:
    first = sweep.start("sweep.n_trials=6", **SLOW)
    sweep.wait_for_begun(1)
    second = sweep.start("sweep.n_trials=6", **SLOW)
    sweep.wait_for_begun(3)
    kill_all(first)
    assert second.wait(240) == 0
    outcomes = sweep.outcomes()
    assert outcomes["finished"] == 6
    assert set(outcomes) <= {"finished", "lost"}

"""Passwords of a study's database, which every launcher hands to its jobs without writing them down."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.secrecy import ProcessList, Secret, dump, holds, places_with
from tests.sweep.conftest import REPOSITORY, Sweep
from tests.sweep.postgres import Server, running_server

pytest.importorskip("psycopg", reason="pip install 'captcha-exp[postgres]'")
SECRET = Secret("sweep")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server(SECRET.password) as started:
        yield started


@pytest.fixture(autouse=True)
def cold(sweep: Sweep) -> None:
    """A process that was forked does not show what was typed, as a real one does."""
    sweep.cold = True


def address(server: Server) -> str:
    return f"postgresql+psycopg://{SECRET.userinfo}@127.0.0.1:{server.port}/postgres"


def written_down(sweep: Sweep, *arguments: str, **environment: str) -> list[str]:
    """Run a sweep of two trials; wherever the secret can be seen then."""
    with ProcessList() as processes:
        process = sweep.start("sweep.n_trials=2", *arguments, **environment)
        code = process.wait(240)
    printed = sweep.printed()
    assert code == 0, printed
    found = processes.showing([SECRET], but=process.pid) + places_with([SECRET], sweep.folder)
    return [*found, "the terminal"] if holds([SECRET], printed) else found


@pytest.mark.parametrize("launcher", ["basic", "joblib", "submitit_local"])
def test_a_launcher_hands_on_a_password_without_writing_it_down(sweep: Sweep, server: Server, launcher: str) -> None:
    if launcher != "basic":
        pytest.importorskip(f"hydra_plugins.hydra_{launcher.partition('_')[0]}_launcher")
    typed = [f"sweep.storage={address(server)}", f"sweep.name=t-{launcher}", f"hydra/launcher={launcher}"]
    assert written_down(sweep, *typed, "sweep.workers=1", "hydra.verbose=true") == []
    assert len(sweep.wait_for_begun(2)) == 2
    assert not holds([SECRET], dump(address(server)))


def test_a_password_in_the_environment_may_be_a_part_of_the_address(sweep: Sweep, server: Server) -> None:
    typed = address(server).replace(SECRET.userinfo.partition(":")[2], "${oc.env:STUDY_PASSWORD}")
    encoded = SECRET.userinfo.partition(":")[2]
    assert written_down(sweep, f"sweep.storage={typed}", "sweep.name=part", STUDY_PASSWORD=encoded) == []
    config = (sweep.folder / "sweeps/part/trial-0000/.hydra/config.yaml").read_text()
    assert "storage: postgresql+psycopg://sweep:${oc.env:STUDY_PASSWORD}@127.0.0.1" in config


def test_a_password_in_a_file_of_the_users_own_is_not_copied(sweep: Sweep, server: Server, tmp_path: Path) -> None:
    own = tmp_path / "own" / "sweep" / "mine.yaml"
    own.parent.mkdir(parents=True)
    smoke = (REPOSITORY / "conf/sweep/smoke.yaml").read_text()
    own.write_text(smoke.replace("  n_trials: 4\n", f"  storage: {address(server)}\n  n_trials: 4\n"))
    arguments = [f"hydra.searchpath=[file://{own.parents[1]}]", "+sweep=mine", "sweep.name=own"]
    assert written_down(sweep, *arguments) == [str(own)]
    config = (sweep.folder / "sweeps/own/trial-0000/.hydra/config.yaml").read_text()
    assert "storage: ${oc.env:CAPTCHA_EXP_SWEEP_STORAGE}" in config


def test_a_wrong_password_is_told_without_it(sweep: Sweep, server: Server) -> None:
    wrong = address(server).replace(SECRET.middle, "wr0ngWord")
    code, printed = sweep.run(f"sweep.storage={wrong}")
    assert code == 2
    assert 'password authentication failed for user "sweep"' in printed
    assert "postgresql+psycopg://sweep:***@127.0.0.1" in printed
    assert "wr0ngWord" not in printed.replace("\n", "")


def test_an_at_sign_in_a_password_must_be_percent_encoded(sweep: Sweep) -> None:
    code, printed = sweep.run("sweep.storage=postgresql+psycopg://sweep:one@twoWords@127.0.0.1/postgres")
    assert code == 2
    assert "error: sweep.storage has more than one @; an @ in its user or password is written %40.\n" in printed
    assert "twoWords" not in printed

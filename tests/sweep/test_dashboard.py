"""The study of a sweep in optuna-dashboard, as a real process."""

import json
import sys
from typing import Any
from urllib.request import urlopen

import pytest

from tests.loopback import free_port, start_server
from tests.sweep.conftest import Sweep, eventually
from tests.sweep.test_pausing import NINE, ONE

_START = "import sys; from optuna_dashboard._cli import main; sys.exit(main())"


def answer(address: str) -> Any:
    with urlopen(address) as response:
        return json.load(response)


def test_the_dashboard_shows_the_study_with_its_objective_and_all_trials(sweep: Sweep) -> None:
    pytest.importorskip("optuna_dashboard", reason="optuna-dashboard is not installed")
    process = sweep.start("sweep.n_trials=60", *NINE[1:], ONE)
    eventually(lambda: True if sweep.printed().count(" paused after ") >= 2 else None, 100)
    process.terminate()
    process.wait(240)
    port, home = free_port(), str(sweep.folder)  # its server leaves a socket in the home
    command = [sys.executable, "-c", _START, sweep.storage, "--host", "127.0.0.1", "--port", str(port)]
    address = f"http://127.0.0.1:{port}/api/studies"
    server = start_server(command, address, sweep.folder, HOME=home)
    try:
        [study] = answer(address)["study_summaries"]
        shown = answer(f"{address}/{study['study_id']}?after=0")
    finally:
        server.terminate()
        server.wait(30)
    assert (study["study_name"], study["directions"]) == ("t", ["maximize"])
    assert shown["objective_names"] == ["best/val/sequence_accuracy"]
    trials = sweep.tally().trials
    assert [trial["state"] for trial in shown["trials"]] == [trial.state.name.capitalize() for trial in trials]
    assert [trial["state"] for trial in shown["trials"]].count("Waiting") >= 2, "those that are paused"
    for seen, trial in zip(shown["trials"], trials, strict=True):
        assert {point["step"]: point["value"] for point in seen["intermediate_values"]} == trial.intermediate_values

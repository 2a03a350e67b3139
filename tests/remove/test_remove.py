"""A sweep is removed with all that it left, and nothing else is."""

import io
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import optuna
import pytest
from hydra import compose, initialize_config_dir
from optuna.trial import TrialState, create_trial

from captcha_exp.config import RemoveConfig, conf_dir, load
from captcha_exp.errors import InputError
from captcha_exp.remove.__main__ import removed, with_remove_key
from captcha_exp.sweep.storage import CHECKPOINT, PROCESS
from captcha_exp.sweep.study import PARENT_RUN
from captcha_exp.sweep.trial_process import this_process
from captcha_exp.tracking import Store, SweepRun, open_store
from tests.tracking_choice import tracked_in

TRACKING = tracked_in("captcha_exp")


class Place:
    """A root folder with a store, and the sweeps that a test makes in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store: Store = open_store(TRACKING, root)
        self.artifacts = root / "mlruns" / "artifacts"

    def sweep(self, name: str, storage: str | None = None) -> tuple[SweepRun, str]:
        """A sweep of one trial with a model and a run below the trial; its run and the model's id."""
        folder = self.root / "sweeps" / name
        folder.mkdir(parents=True)
        (folder / "trials.csv").write_text("number\n0\n")
        study = optuna.create_study(study_name=name, storage=storage or f"sqlite:///{folder}/study.db")
        parent = SweepRun.start_or_resume(self.store, name, name, {})
        parent.offer_view(name, "loss", ["a"], maximize=False)
        study.set_user_attr(PARENT_RUN, parent.run_id)
        trial = self.store.start_run("trial-0000", {}, parent.run_id)
        member = self.store.start_child("member-1", trial.run_id, {})
        member.log_text("x", "config.yaml")
        return parent, self.model(trial.run_id)

    def model(self, run_id: str) -> str:
        logged = self.store.client.create_logged_model(self.store.experiment_id, "model", source_run_id=run_id)
        (self.root / "MLmodel").write_text("flavors: {}\n")
        self.store.client.log_model_artifact(logged.model_id, str(self.root / "MLmodel"))
        (self.root / "MLmodel").unlink()
        return str(logged.model_id)

    def remove(self, *arguments: str) -> list[str]:
        with initialize_config_dir(str(conf_dir()), version_base="1.3"):
            composed = compose("remove", with_remove_key([f"root={self.root}", *arguments]))
        return list(removed(load(RemoveConfig, composed)))

    def state(self) -> tuple[list[str], list[str]]:
        """Every row of the database, and every file."""
        with closing(sqlite3.connect(self.root / "mlruns" / "mlflow.db")) as connection:
            rows = sorted(connection.iterdump())
        return rows, sorted(str(path.relative_to(self.root)) for path in self.root.rglob("*"))


@pytest.fixture
def place(give_database: Callable[[Path], None], tmp_path: Path) -> Place:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    root = tmp_path / "root"
    root.mkdir()
    give_database(root)
    return Place(root)


def test_a_sweep_goes_with_all_that_it_left_and_others_stay(place: Place) -> None:
    kept, kept_model = place.sweep("kept")
    single = place.store.start_run("a run of its own", {})
    single.log_text("x", "note.txt")
    deleted = place.store.client.create_experiment("deleted by its user, who may want it back")
    place.store.client.delete_experiment(deleted)
    before = place.state()
    place.sweep("gone")
    said = place.remove("sweep=gone", "yes=true")
    folder = place.root / "sweeps" / "gone"
    assert said[0].startswith("to remove: 3 runs and 1 model (0.0 MB), ") and f", {folder} (" in said[0]
    assert said[1:] == ["removed the sweep gone"]
    assert place.state() == before, "nothing is left of it, in the database and on disk"
    client = place.store.client
    assert client.get_run(kept.run_id).info.lifecycle_stage == "active"
    assert client.get_logged_model(kept_model).model_id == kept_model
    assert client.get_experiment(deleted).lifecycle_stage == "deleted"


def test_a_model_that_is_registered_keeps_its_sweep(place: Place) -> None:
    parent, model = place.sweep("used")
    client = place.store.client
    client.create_registered_model("captcha")
    client.create_model_version("captcha", f"models:/{model}", client.get_logged_model(model).source_run_id)
    before = place.state()
    with pytest.raises(InputError, match=r"^captcha/1 is made of this sweep, so it is kept; delete what nobody uses"):
        place.remove("sweep=used", "yes=true")
    assert place.state() == before
    client.delete_model_version("captcha", "1")
    place.remove("sweep=used", "yes=true")
    assert not list(place.artifacts.rglob("*.yaml")), parent.run_id


def test_a_dry_run_removes_nothing(place: Place) -> None:
    place.sweep("there")
    before = place.state()
    (said,) = place.remove("sweep=there", "dry_run=true", "yes=true")
    assert said.startswith("would remove: 3 runs and 1 model")
    assert place.state() == before


def test_nothing_goes_without_an_answer(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.sweep("there")
    before = place.state()
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(InputError, match=r"^Nobody can be asked whether to remove the sweep there; set `yes=true`\.$"):
        place.remove("sweep=there")
    answers: dict[str, Any] = {"isatty": lambda: True}
    for typed, goes in (("", False), ("n", False), ("y", True)):
        terminal = io.StringIO(f"{typed}\n")
        terminal.isatty = answers["isatty"]  # type: ignore[method-assign]
        monkeypatch.setattr("sys.stdin", terminal)
        assert ("removed the sweep there" in place.remove("sweep=there")) == goes
        assert (place.state() == before) == (not goes)


def test_the_states_of_paused_trials_go_and_a_name_of_others_cannot_lead_elsewhere(place: Place) -> None:
    place.sweep("paused")
    study = optuna.load_study(study_name="paused", storage=f"sqlite:///{place.root}/sweeps/paused/study.db")
    states = place.root / "outputs" / "checkpoints"
    (states / "abc").mkdir(parents=True)
    for name in ("abc", "../../sweeps", "."):
        study.add_trial(create_trial(state=TrialState.PRUNED, user_attrs={CHECKPOINT: name}))
    place.sweep("kept")
    place.remove("sweep=paused", "yes=true")
    assert not (states / "abc").exists()
    assert states.is_dir() and (place.root / "sweeps" / "kept").is_dir()


def test_a_sweep_that_still_runs_is_kept(place: Place) -> None:
    place.sweep("busy")
    study = optuna.load_study(study_name="busy", storage=f"sqlite:///{place.root}/sweeps/busy/study.db")
    trial = study.ask()
    trial.set_user_attr(PROCESS, this_process())
    with pytest.raises(InputError, match=r"^Trial 0 of the sweep busy still runs; end the sweep first"):
        place.remove("sweep=busy", "yes=true")
    study.tell(trial, state=TrialState.FAIL)
    assert place.remove("sweep=busy", "yes=true")[-1] == "removed the sweep busy"


def test_a_study_in_a_database_of_its_own_goes_too(place: Place, tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path}/studies.db"
    for name in ("shared", "kept"):
        place.sweep(name, storage)
    place.remove("sweep=shared", f"remove.storage={storage}", "yes=true")
    assert optuna.get_all_study_names(storage) == ["kept"]
    assert [path.name for path in (place.root / "sweeps").iterdir()] == ["kept"]


@pytest.mark.parametrize("name", ["..", "../mlruns", "nowhere"])
def test_what_is_no_sweep_is_not_removed(place: Place, name: str) -> None:
    place.sweep("there")
    before = place.state()
    with pytest.raises(InputError):
        place.remove(f"sweep={name}", "yes=true")
    assert place.state() == before

"""A project goes on working after its folder was moved, renamed or copied."""

import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from captcha_exp.config import (
    Config,
    EvaluateCommandConfig,
    PromotionConfig,
    RelocateConfig,
    conf_dir,
    load,
)
from captcha_exp.errors import InputError
from captcha_exp.evaluate.assess_model import assess_model
from captcha_exp.experiment import Outcome
from captcha_exp.predict.load_predictor import load_predictor
from captcha_exp.promote.__main__ import promote
from captcha_exp.reader.predictor import Predictor
from captcha_exp.relocate.__main__ import relocated
from captcha_exp.serve.model_holder import ModelHolder
from captcha_exp.tracking import open_store
from captcha_exp.tracking.artifact_addresses import relocate
from tests.tracking_choice import tracked_in

TRACKING = tracked_in("captcha_exp")


@dataclass
class Project:
    """A folder with a run, whose model is champion."""

    root: Path
    run_id: str
    overrides: list[str]

    def moved(self, to: Path) -> "Project":
        to.parent.mkdir(parents=True, exist_ok=True)
        return Project(self.root.rename(to), self.run_id, self.overrides)

    @property
    def database(self) -> Path:
        return self.root / "mlruns" / "mlflow.db"

    @property
    def uri(self) -> str:
        return f"sqlite:///{self.database}"

    def addresses(self) -> set[str]:
        """Everything in the database that looks like an address below `mlruns/artifacts`."""
        with closing(sqlite3.connect(self.database)) as connection:
            dump = "\n".join(connection.iterdump())
        return set(re.findall(r"file://[^']*/mlruns/artifacts", dump))

    def predict(self, model: str = "models:/captcha@champion") -> Predictor:
        return load_predictor(model, self.uri)

    def promote(self) -> None:
        promote(self._composed("promote", PromotionConfig, f"challenger.run={self.run_id}", "force=tested"))

    def evaluate(self) -> list[str]:
        config = self._composed(
            "evaluate", EvaluateCommandConfig, "model=models:/captcha@champion", "robustness=false", *self.overrides
        )
        return list(assess_model(config, config))

    def relocate(self, *overrides: str) -> list[str]:
        return list(relocated(self._composed("relocate", RelocateConfig, *overrides)))

    def _composed(self, name: str, schema, *overrides: str):  # type: ignore[no-untyped-def]  # the schema's own type
        with initialize_config_dir(str(conf_dir()), version_base="1.3"):
            return load(schema, compose(name, [f"root='{self.root}'", *overrides]))


@pytest.fixture(scope="session")
def promoted(trained: tuple[Config, Outcome, list[str]], tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the trained run's folder, set right, with the model as champion."""
    config, outcome, _ = trained
    root = Path(shutil.copytree(config.root_path, tmp_path_factory.mktemp("promoted") / "root"))
    relocate(root, dry_run=False)
    overrides = [
        f"dataset.{key}={getattr(config.dataset, key)}"
        for key in ("size", "min_length", "max_length", "image_height", "image_width", "validation_fraction")
    ]
    made = Project(root, outcome.run_id, overrides)
    made.promote()
    return made


@pytest.fixture
def project(promoted: Project, tmp_path: Path) -> Project:
    """A copy of it, set right."""
    root = Path(shutil.copytree(promoted.root, tmp_path / "old place" / "my project"))
    relocate(root, dry_run=False)
    return replace(promoted, root=root)


def test_all_commands_work_again_in_a_folder_that_was_moved(project: Project, tmp_path: Path) -> None:
    """Nothing but moving the folder back helped, and predict and serve ended in a traceback."""
    before = project.predict()
    moved = project.moved(tmp_path / "umgezogen" / "Prüf 验证码")
    command = f"python -m captcha_exp.relocate 'root={moved.root}'"
    told = rf"the folder was moved, renamed or copied\. Type `{re.escape(command)}` to set that right"
    for model in ("models:/captcha@champion", "models:/captcha/1", f"runs:/{project.run_id}/model"):
        with pytest.raises(InputError, match=told):
            moved.predict(model)
    with pytest.raises(InputError, match=told):
        ModelHolder("models:/captcha@champion", moved.uri, None, 60)
    for refused in (moved.evaluate, moved.promote, lambda: open_store(TRACKING, moved.root)):
        with pytest.raises(InputError, match=told):
            refused()
    said = moved.relocate()
    assert said[0].startswith("1 experiment, ") and f" now point to {moved.root.as_uri()}/mlruns/artifacts" in said[0]
    assert "1 registered version" in said[0]
    assert moved.addresses() == {f"{moved.root.as_uri()}/mlruns/artifacts"}
    assert moved.predict().version == before.version == "captcha/1"
    assert moved.predict(f"runs:/{project.run_id}/model").model_id == before.model_id
    assert ModelHolder("models:/captcha@champion", moved.uri, None, 60).current.name == "captcha/1"
    assert any("60 images" in line for line in moved.evaluate())
    moved.promote()
    assert moved.relocate() == [f"nothing to change: the store looks for its files in {next(iter(moved.addresses()))}"]


def test_the_database_as_it_was_is_kept(project: Project, tmp_path: Path) -> None:
    before = project.addresses()
    moved = project.moved(tmp_path / "new")
    backup = Path(moved.relocate()[-1].removeprefix("the database as it was: "))
    shutil.copy(backup, moved.database)
    assert moved.addresses() == before != {f"{moved.root.as_uri()}/mlruns/artifacts"}


def test_a_dry_run_changes_nothing(project: Project, tmp_path: Path) -> None:
    moved = project.moved(tmp_path / "new")
    before = {path: path.read_bytes() for path in moved.database.parent.iterdir() if path.is_file()}
    (said,) = moved.relocate("dry_run=true")
    assert f" would point to {moved.root.as_uri()}/mlruns/artifacts, no longer to " in said
    assert {path: path.read_bytes() for path in moved.database.parent.iterdir() if path.is_file()} == before


def test_files_that_did_not_come_along_are_told(project: Project, tmp_path: Path) -> None:
    moved = project.moved(tmp_path / "new")
    artifacts = moved.root / "mlruns" / "artifacts"
    artifacts.rename(tmp_path / "left behind")
    with pytest.raises(InputError, match=r"^The files of none of the \d models lie under .*; copy that folder as well"):
        moved.relocate()
    Path(tmp_path / "left behind").rename(artifacts)
    open_store(TRACKING.model_copy(update={"experiment": "another"}), moved.root).start_run("own", {})
    with closing(sqlite3.connect(moved.database)) as connection, connection:
        connection.execute(
            "INSERT INTO logged_models SELECT 'm-lost', experiment_id, name, replace(artifact_location, model_id, "
            "'m-lost'), creation_timestamp_ms, last_updated_timestamp_ms, status, lifecycle_stage, model_type, "
            "source_run_id, status_message FROM logged_models LIMIT 1"
        )
    assert "without files in the new place: 1 models, m-lost" in moved.relocate()


def test_an_address_of_the_users_own_is_left_as_it_is(project: Project, tmp_path: Path) -> None:
    with closing(sqlite3.connect(project.database)) as connection, connection:
        connection.execute(
            "INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, workspace) "
            "VALUES (9, 'own', 's3://bucket/somewhere', 'active', 'default')"
        )
    moved = project.moved(tmp_path / "new")
    moved.relocate()
    with closing(sqlite3.connect(moved.database)) as connection:
        kept = connection.execute("SELECT artifact_location FROM experiments WHERE experiment_id = 9").fetchone()
    assert kept == ("s3://bucket/somewhere",)


def test_a_database_in_use_is_one_line(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moved = project.moved(tmp_path / "new")
    monkeypatch.setattr("captcha_exp.tracking.artifact_addresses._BUSY_S", 0.1)
    with closing(sqlite3.connect(moved.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(InputError, match=r"mlflow\.db is in use \(database is locked\); end what uses it"):
            moved.relocate()
    assert len(moved.addresses()) == 1 and f"{moved.root.as_uri()}/mlruns/artifacts" not in moved.addresses()


def test_the_command_refuses_what_it_cannot_mend(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "captcha_exp.relocate", f"root={tmp_path}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    missing = (
        f"error: There is no store {tmp_path}/mlruns/mlflow.db; set `root=DIR` to the folder that holds `mlruns/`.\n"
    )
    assert (done.returncode, done.stderr) == (2, missing)
    done = subprocess.run([*command, "tracking.uri=http://127.0.0.1:9"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("error: tracking.uri=http://127.0.0.1:9 is not the store of a folder")

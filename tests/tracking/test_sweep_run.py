"""The parent run of a sweep is one, whoever asks, and its dead children are closed."""

import os
from pathlib import Path

from captcha_exp.tracking import Store, SweepRun, open_store
from tests.mlflow_server import MlflowServer
from tests.tracking_choice import tracked_in
from tests.warm_processes import WarmProcess


def test_the_same_study_has_the_same_parent(store: Store) -> None:
    first = SweepRun.start_or_resume(store, "it's", "key\\1", {"question": "how many?"})
    first.end(interrupted=True)
    assert store.client.get_run(first.run_id).info.status == "KILLED"
    again = SweepRun.start_or_resume(store, "it's", "key\\1", {})
    other = SweepRun.start_or_resume(store, "it's", "another key", {})
    assert again.run_id == first.run_id != other.run_id
    kept = store.client.get_run(first.run_id)
    assert kept.info.status == "RUNNING"
    assert kept.info.run_name == "it's"
    assert (kept.data.tags["sweep"], kept.data.tags["question"]) == ("it's", "how many?")
    again.end()
    assert store.client.get_run(first.run_id).info.status == "FINISHED"


def test_supervisors_that_start_at_once_share_one_parent(tmp_path: Path) -> None:
    program = """
import sys, time
from pathlib import Path
from captcha_exp.config import TrackingConfig
from captcha_exp.tracking import SweepRun, open_store
root = Path(sys.argv[1])
tracking = TrackingConfig(
    uri=None, experiment="race", run_name=None, log_model=True, sheet_images=0, system_metrics=False
)
store = open_store(tracking, root)
(root / sys.argv[2]).touch()
while len(list(root.glob("ready-*"))) < 3:
    time.sleep(0.005)
parent = SweepRun.start_or_resume(store, "attention", "key", {})
(root / sys.argv[2]).unlink()
while list(root.glob("ready-*")):
    pass
for _ in range(10):
    parent.offer_view(f"attention {_}", "best/val/sequence_accuracy", ["cnn"], maximize=True)
    parent.describe("how many?")
print(parent.run_id)
"""
    (tmp_path / "program.py").write_text(program)
    commands = [[str(tmp_path / "program.py"), str(tmp_path), f"ready-{i}"] for i in range(3)]
    supervisors = [WarmProcess(command, tmp_path, os.environ) for command in commands]
    parents = {supervisor.communicate(timeout=120)[0] for supervisor in supervisors}
    assert [supervisor.returncode for supervisor in supervisors] == [0, 0, 0]
    assert len(parents) == 1
    assert len(open_store(tracked_in("race"), tmp_path).search("")) == 1


def test_children_of_dead_workers_are_closed_and_living_ones_left(store: Store) -> None:
    sweep = SweepRun.start_or_resume(store, "attention", "key", {})
    dead = store.start_run("trial-0001", {"trial": "1"}, sweep.run_id)
    alive = store.start_run("trial-0002", {"trial": "2"}, sweep.run_id)
    with store.start_run("trial-0003", {"trial": "3"}, sweep.run_id) as done:
        done.set_outcome("pruned", "pruned after epoch 2")
    stranger = store.start_run("trial-0001", {}, None)
    assert sweep.close_orphans(running={"trial-0002"}) == ["trial-0001"]
    assert sweep.close_orphans(running={"trial-0002"}) == []
    states = {}
    for run in (dead, alive, done, stranger):
        kept = store.client.get_run(run.run_id)
        states[run.run_id] = (kept.info.status, kept.data.tags.get("outcome"), kept.data.tags.get("reason"))
    assert list(states.values()) == [
        ("FAILED", "failed", "the worker died"),
        ("RUNNING", None, None),
        ("KILLED", "pruned", "pruned after epoch 2"),
        ("RUNNING", None, None),
    ]
    assert [child.info.run_name for child in store.children(sweep.run_id)] == ["trial-0001", "trial-0002", "trial-0003"]


def test_tables_and_pictures_are_kept_and_the_database_is_not(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "sweep"
    (folder / "trial-0001").mkdir(parents=True)
    for name in ("trials.csv", "best.yaml", "history.png", "study.db", "study.db-journal"):
        (folder / name).write_text(name)
    sweep = SweepRun.start_or_resume(store, "attention", "key", {})
    sweep.log_files(folder.iterdir())
    sweep.log_summary({"best/val/sequence_accuracy": 0.9}, {"best_trial": "trial-0007"})
    kept = store.client.get_run(sweep.run_id)
    assert [a.path for a in store.client.list_artifacts(sweep.run_id)] == ["best.yaml", "history.png", "trials.csv"]
    assert kept.data.metrics == {"best/val/sequence_accuracy": 0.9}
    assert kept.data.tags["best_trial"] == "trial-0007"
    assert sweep.ui_hint.endswith(f"/runs/{sweep.run_id}?workflowType=machine_learning")


def test_a_run_that_breaks_a_constraint_no_longer_counts_as_finished(store: Store) -> None:
    sweep = SweepRun.start_or_resume(store, "attention", "key", {})
    with store.start_run("trial-0001", {"trial": "1"}, sweep.run_id) as large:
        large.set_outcome("finished")
    sweep.mark_infeasible({large.run_id: "model/parameters is 9, not <= 5", "0" * 32: "deleted"})
    tags = store.client.get_run(large.run_id).data.tags
    assert (tags["outcome"], tags["reason"]) == ("infeasible", "model/parameters is 9, not <= 5")


def test_supervisors_that_start_at_once_on_a_server_share_one_parent(
    mlflow_server: MlflowServer, tmp_path: Path
) -> None:
    """Each made one, and all but the oldest stayed RUNNING for good."""
    program = """
import sys, time
from pathlib import Path
from hydra import compose, initialize_config_dir
from captcha_exp.config import conf_dir, load_config
from captcha_exp.sweep.study_lock import open_lock
from hydra_plugins.captcha_exp_sweeper.sweeper import CaptchaExpSweeper
root = Path(sys.argv[1])
typed = [f"root={root}", f"tracking.uri={sys.argv[3]}", "tracking.experiment='at once'", "sweep.name=attention"]
with initialize_config_dir(str(conf_dir()), version_base="1.3"):
    config = load_config(compose("config", typed))
lock = open_lock(f"sqlite:///{root}/study.db", "attention")
import captcha_exp.tracking
(root / sys.argv[2]).touch()
while len(list(root.glob("ready-*"))) < 3:
    time.sleep(0.005)
print(CaptchaExpSweeper().open_record(config, "key", lock).run_id)
"""
    (tmp_path / "program.py").write_text(program)
    arguments = [[str(tmp_path / "program.py"), str(tmp_path), f"ready-{i}", mlflow_server.uri] for i in range(3)]
    supervisors = [WarmProcess(one, tmp_path, os.environ) for one in arguments]
    told = [supervisor.communicate(timeout=120) for supervisor in supervisors]
    assert [supervisor.returncode for supervisor in supervisors] == [0, 0, 0], told
    tracking = tracked_in("at once", mlflow_server.uri)
    (parent,) = open_store(tracking, tmp_path).search("")
    assert parent.data.params["sweep.sampler.kind"] == "tpe"
    assert {out.strip() for out, _ in told} == {parent.info.run_id}


def test_a_spare_parent_does_not_stay_open(store: Store) -> None:
    tags = {"sweep": "attention", "study": "key", "kind": "sweep"}
    first, spare = store.start_run("attention", tags), store.start_run("attention", tags)
    assert SweepRun.start_or_resume(store, "attention", "key", {}).run_id == first.run_id
    assert store.client.get_run(spare.run_id).info.status == "KILLED"
    assert store.client.get_run(first.run_id).info.status == "RUNNING"

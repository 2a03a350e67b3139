"""One run of the training command, and what it leaves in MLflow."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.conftest import TINY, Folder
from tests.small_disk import SmallDisk

pytestmark = pytest.mark.usefixtures("database_made_before")

EPOCHS = 4
RUN = [*TINY, f"training.epochs={EPOCHS}", "augmentation=strong", "+training.metrics.held=held_run:hold"]
# A metric of the user's own that stops the run while it judges its third epoch, until the test lets it go on.
HELD_RUN = """
import time
from pathlib import Path

epochs = []

def hold(labels, texts):
    epochs.append(texts)
    while len(epochs) > 2 and not Path("go_on").exists():
        time.sleep(0.05)
    return 0.0
"""
PER_EPOCH = {
    *("train/ctc_loss", "val/ctc_loss", "val/sequence_accuracy", "val/sequence_accuracy_ignore_case"),
    *("val/character_error_rate", "learning_rate", "images_per_second"),
}
ONCE = {"best/val/sequence_accuracy", "best/val/character_error_rate", "best/val/ctc_loss", "model/parameters"}


def let_go_on(folder: Folder) -> None:
    (folder.path / "go_on").touch()


@pytest.fixture(scope="module")
def whole(give_database: Callable[[Path], None], tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A folder in which one run went from start to end."""
    folder = Folder(tmp_path_factory.mktemp("whole"))
    give_database(folder.path)
    (folder.path / "held_run.py").write_text(HELD_RUN)
    let_go_on(folder)
    done = folder.run(*RUN)
    assert done.returncode == 0, done.stderr
    return folder


def test_a_run_logs_what_the_contract_names(whole: Folder) -> None:
    (run,) = whole.runs()
    assert run.info.status == "FINISHED"
    assert set(run.data.metrics) >= PER_EPOCH | ONCE
    assert any(name.startswith("seconds/") for name in run.data.metrics)
    assert not any(name.startswith("test/") for name in run.data.metrics)
    history = whole.client().get_metric_history(run.info.run_id, "val/sequence_accuracy")
    assert [metric.step for metric in history] == list(range(1, EPOCHS + 1))
    assert run.data.tags["outcome"] == "finished"
    assert len(run.data.tags["dataset.fingerprint"]) >= 16
    assert run.data.params["transformer.projection_dim"] == "16"
    assert {given.dataset.name for given in run.inputs.dataset_inputs}
    assert {tag.value for given in run.inputs.dataset_inputs for tag in given.tags} >= {
        "training",
        "validation",
        "test",
    }
    names = {artifact.path for artifact in whole.client().list_artifacts(run.info.run_id)}
    assert {"config.yaml", "environment.json", "validation.csv"} <= names
    assert len([name for name in names if name.endswith(".png")]) >= 3 or "figures" in names


def curves(folder, run) -> dict[str, list[float]]:
    """Every metric of every epoch that does not depend on the clock."""
    names = PER_EPOCH - {"images_per_second"}
    history = folder.client().get_metric_history
    return {name: [(m.step, m.value) for m in history(run.info.run_id, name)] for name in names}


def two_epochs_are_logged(folder: Folder) -> bool:
    return len(curves(folder, folder.runs()[0])["train/ctc_loss"]) == 2


def test_the_same_seed_gives_the_same_metrics_also_across_a_kill(folder: Folder, whole: Folder) -> None:
    (folder.path / "held_run.py").write_text(HELD_RUN)
    child = folder.start_warm(*RUN)
    folder.wait_until(lambda: two_epochs_are_logged(folder), "two epochs")
    folder.kill(child.pid)
    child.wait()
    assert two_epochs_are_logged(folder), "it was killed in the middle"
    (killed,) = folder.runs()
    let_go_on(folder)
    again = folder.run(*RUN)
    assert again.returncode == 0, again.stderr
    (continued,) = folder.runs()
    assert continued.info.run_id == killed.info.run_id, "the second start continues the first one's run"
    assert continued.info.status == "FINISHED"
    (uninterrupted,) = whole.runs()
    assert curves(folder, continued) == curves(whole, uninterrupted)
    assert not list(folder.path.glob("outputs/checkpoints/*/*.npz"))


def test_a_run_whose_disk_gets_full_goes_on_once_there_is_room(
    folder: Folder, whole: Folder, small_disk: SmallDisk, give_database: Callable[[Path], None]
) -> None:
    """The same metrics to the last digit, as if nothing had happened."""
    command = [*RUN, f"root={small_disk.path}"]
    (folder.path / "held_run.py").write_text(HELD_RUN)
    there = Folder(small_disk.path)
    give_database(small_disk.path)
    child = folder.start(*command)
    folder.wait_until(lambda: two_epochs_are_logged(there), "two epochs")
    small_disk.leave(1)
    let_go_on(folder)
    _, told = child.communicate(timeout=300)
    assert child.returncode == 2, told
    assert told.startswith(f"error: There is no room on the disk of {small_disk.path}") and told.count("\n") == 1
    (stopped,) = there.runs()
    assert len(curves(there, stopped)["train/ctc_loss"]) < EPOCHS
    small_disk.make_room()
    again = folder.run(*command)
    assert again.returncode == 0, again.stderr
    (continued,) = there.runs()
    assert continued.info.status == "FINISHED" and continued.data.tags["outcome"] == "finished"
    assert "continuing the interrupted run" in again.stdout
    (undisturbed,) = whole.runs()
    assert curves(there, continued) == curves(whole, undisturbed)
    assert not list(small_disk.path.rglob("*.partial"))

"""A disk that gets full under MLflow's database and artifacts."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from captcha_exp.errors import FullDiskError
from captcha_exp.files import telling_full_disk
from captcha_exp.tracking import Store, open_store
from captcha_exp.tracking.served_form import upload_servable
from tests.small_disk import SmallDisk
from tests.tracking_choice import tracked_in

CONFIG = tracked_in("e")


def opened(root: Path) -> Store:
    with telling_full_disk(root):
        return open_store(CONFIG, root)


def log_a_run(store: Store, root: Path) -> str:
    with telling_full_disk(root), store.start_run("r", {}) as run:
        for epoch in range(1, 40):
            run.log_epoch(epoch, {f"metric-{number}": epoch for number in range(10)})
        run.log_text("a" * 20_000, "validation.csv")
        return run.run_id


def artifacts(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in (root / "mlruns" / "artifacts").rglob("*") if path.is_file()}


def test_a_store_is_made_whole_or_not_at_all_and_loses_nothing_that_it_has(
    small_disk: SmallDisk, capfd: pytest.CaptureFixture[str]
) -> None:
    root = small_disk.path
    for blocks in (2, 200):
        small_disk.leave(blocks)
        with pytest.raises(FullDiskError, match=f"no room on the disk of {root}"):
            opened(root)
        assert not list(root.rglob("*mlflow.db*")), "nothing is left that nobody could use"
        small_disk.make_room()
    store = opened(root)
    known = {log_a_run(store, root): "FINISHED"}
    kept = artifacts(root)
    assert len(kept) == 1
    failures = 0
    for blocks in range(2, 120, 13):
        small_disk.leave(blocks)
        try:
            known[log_a_run(store, root)] = "FINISHED"
        except FullDiskError as error:
            failures += 1
            assert f"no room on the disk of {root}" in str(error)
        small_disk.make_room()
        with closing(sqlite3.connect(root / "mlruns" / "mlflow.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert {run_id: store.client.get_run(run_id).info.status for run_id in known} == known
        now = artifacts(root)
        assert kept.items() <= now.items()
        tables = [data for path, data in now.items() if path.name == "validation.csv"]
        assert set(tables) == {b"a" * 20_000}, "no artifact is cut"
        kept = now
    assert 3 < failures < 9
    assert log_a_run(opened(root), root) not in known
    assert capfd.readouterr().err == "", "MLflow tells nothing of its own"


def test_a_full_disk_leaves_the_model_that_is_there_when_its_servable_form_is_kept(
    small_disk: SmallDisk, tmp_path: Path
) -> None:
    root = small_disk.path
    store = opened(root)
    logged = store.client.create_logged_model(store.experiment_id, "model")
    folder = tmp_path / "model"
    (folder / "data").mkdir(parents=True)

    def write(description: str) -> None:
        (folder / "MLmodel").write_text(description)
        (folder / "data" / "model.keras").write_bytes(b"weights" * 10_000)

    write("trained")
    store.client.log_model_artifacts(logged.model_id, str(folder))
    kept = artifacts(root)
    assert len(kept) == 2
    write("trained and served")
    (folder / "network.onnx").write_bytes(bytes(100_000))
    for blocks in (0, 5, 20):
        small_disk.leave(blocks)
        with pytest.raises(FullDiskError), telling_full_disk(root):
            upload_servable(store.client, logged.model_id, folder)
        now = artifacts(root)
        assert kept.items() <= now.items()
        assert set(now.values()) <= {path.read_bytes() for path in folder.rglob("*") if path.is_file()} | {b"trained"}
    small_disk.make_room()
    upload_servable(store.client, logged.model_id, folder)
    place = next(path for path in kept if path.name == "MLmodel").parent
    for path in folder.rglob("*"):
        if path.is_file():
            assert (place / path.relative_to(folder)).read_bytes() == path.read_bytes()

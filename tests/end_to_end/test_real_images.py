"""The commands on real labelled images, where they are there."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("database_made_before")


def test_a_run_learns_to_read_real_images_and_evaluates_the_test_split(folder, data_dir: Path) -> None:
    source = ["dataset=folder", f"dataset.path={data_dir / 'captcha_images_v2'}"]
    source += ["dataset.image_height=36", "dataset.image_width=112"]  # read as well as at full size, in half the time
    done = folder.run(*source, "training.epochs=2", timeout_s=500)
    assert done.returncode == 0, done.stderr
    (run,) = folder.runs()
    # Random weights read nothing after two epochs.
    assert run.data.metrics["best/val/sequence_accuracy"] > 0.9
    assert run.data.tags["initial_model"].startswith("shipped:")
    (logged,) = folder.client().search_logged_models([run.info.experiment_id])
    judged = [f"model=models:/{logged.model_id}", *source, "split=test", "robustness=false"]
    evaluated = folder.run(*judged, module="captcha_exp.evaluate")
    assert evaluated.returncode == 0, evaluated.stderr
    (run,) = folder.runs()
    assert run.data.metrics["test/sequence_accuracy"] > 0.9

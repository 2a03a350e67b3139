"""The commands on real labelled images, where they are there."""

from pathlib import Path


def test_a_run_learns_to_read_real_images_and_evaluates_the_test_split(folder, data_dir: Path) -> None:
    source = ["dataset=folder", f"dataset.path={data_dir / 'captcha_images_v2'}"]
    done = folder.run(*source, "training.epochs=14", timeout_s=500)
    assert done.returncode == 0, done.stderr
    (run,) = folder.runs()
    # A tenth of the epochs that the figures in docs/figures.md are made with: this shows that it learns, no more.
    assert run.data.metrics["best/val/character_error_rate"] < 0.5
    (logged,) = folder.client().search_logged_models([run.info.experiment_id])
    evaluated = folder.run(f"model=models:/{logged.model_id}", *source, "split=test", module="captcha_exp.evaluate")
    assert evaluated.returncode == 0, evaluated.stderr
    assert "test/sequence_accuracy" in folder.runs()[-1].data.metrics | folder.runs()[0].data.metrics

"""One run of the training command, and what it leaves in MLflow."""

import csv
import json
import subprocess
import sys
import textwrap
from pathlib import Path

PER_EPOCH = {
    *("train/ctc_loss", "val/ctc_loss", "val/sequence_accuracy", "val/sequence_accuracy_ignore_case"),
    *("val/character_error_rate", "learning_rate", "images_per_second"),
}
ONCE = {"best/val/sequence_accuracy", "best/val/character_error_rate", "best/val/ctc_loss", "model/parameters"}


def test_a_run_logs_what_the_contract_names(folder) -> None:
    done = folder.run(*folder.tiny, "training.epochs=3")
    assert done.returncode == 0, done.stderr
    (run,) = folder.runs()
    assert run.info.status == "FINISHED"
    assert set(run.data.metrics) >= PER_EPOCH | ONCE
    assert any(name.startswith("seconds/") for name in run.data.metrics)
    assert not any(name.startswith("test/") for name in run.data.metrics)
    assert [m.step for m in folder.client().get_metric_history(run.info.run_id, "val/sequence_accuracy")] == [1, 2, 3]
    assert run.data.tags["outcome"] == "finished"
    assert len(run.data.tags["dataset.fingerprint"]) >= 16
    assert run.data.params["transformer.projection_dim"] == "16"
    assert {given.dataset.name for given in run.inputs.dataset_inputs}
    assert {tag.value for given in run.inputs.dataset_inputs for tag in given.tags} >= {
        "training",
        "validation",
        "test",
    }
    names = {artifact.path for artifact in folder.client().list_artifacts(run.info.run_id)}
    assert {"config.yaml", "environment.json", "validation.csv"} <= names
    assert len([name for name in names if name.endswith(".png")]) >= 3 or "figures" in names


def test_the_logged_model_reads_as_logged_in_a_process_without_conf(folder, tmp_path_factory) -> None:
    done = folder.run(*folder.tiny, "training.epochs=4", "dataset.characters=01", "dataset.max_length=2")
    assert done.returncode == 0, done.stderr
    (run,) = folder.runs()
    (logged,) = folder.client().search_logged_models([run.info.experiment_id])
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    table = Path(folder.client().download_artifacts(run.info.run_id, "validation.csv", str(elsewhere)))
    rows = list(csv.DictReader(table.read_text().splitlines()))
    script = """
        import json, sys
        import numpy as np
        from captcha_exp import tracking
        from captcha_exp.config import load_config
        from captcha_exp.dataset import prepare_dataset
        from captcha_exp.evaluation import evaluate
        from pathlib import Path
        uri, model_id, root = sys.argv[1:]
        loaded = tracking.load_recogniser("models:/" + model_id, uri)
        config = load_config(loaded.config)
        validation = prepare_dataset(config.dataset, Path(root)).validation
        result = evaluate(loaded.model, validation.images, validation.labels, loaded.characters, config.decoding, 32)
        print(json.dumps([result.metrics["sequence_accuracy"], result.predictions]))
    """
    child = subprocess.run(
        [
            sys.executable,
            "-c",
            textwrap.dedent(script),
            f"sqlite:///{folder.path}/mlruns/mlflow.db",
            logged.model_id,
            folder.path,
        ],
        cwd=elsewhere,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert child.returncode == 0, child.stderr
    accuracy, predictions = json.loads(child.stdout.splitlines()[-1])
    assert accuracy == run.data.metrics["best/val/sequence_accuracy"]
    assert predictions == [row["prediction"] for row in rows]


def curves(folder, run) -> dict[str, list[float]]:
    """Every metric of every epoch that does not depend on the clock."""
    names = PER_EPOCH - {"images_per_second"}
    history = folder.client().get_metric_history
    return {name: [(m.step, m.value) for m in history(run.info.run_id, name)] for name in names}


def test_the_same_seed_gives_the_same_metrics_also_across_a_kill(folder, tmp_path: Path) -> None:
    command = [*folder.tiny, "training.epochs=6", "augmentation=strong"]
    whole = folder.run(*command, "tracking.experiment=whole")
    assert whole.returncode == 0, whole.stderr
    (uninterrupted,) = folder.runs()

    child = folder.start(*command, "tracking.experiment=killed")

    def two_epochs_are_logged() -> bool:
        last = folder.runs()[-1]
        return last.info.run_id != uninterrupted.info.run_id and len(curves(folder, last)["train/ctc_loss"]) >= 2

    folder.wait_until(two_epochs_are_logged, "two epochs")
    folder.kill(child.pid)
    child.wait()
    again = folder.run(*command, "tracking.experiment=killed")
    assert again.returncode == 0, again.stderr
    runs = folder.runs()
    assert len(runs) == 2, "the second start continues the first one's run"
    continued = next(run for run in runs if run.info.run_id != uninterrupted.info.run_id)
    assert continued.info.status == "FINISHED"
    assert curves(folder, continued) == curves(folder, uninterrupted)
    assert not list(tmp_path.glob("outputs/checkpoints/*/*.npz"))

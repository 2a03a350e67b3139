"""A run from its configuration to what it leaves in the tracking store."""

import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mlflow.entities import Run

from captcha_exp.config import Config, EvaluationConfig, SplitName, TrackingConfig
from captcha_exp.dataset import Split, prepare_dataset
from captcha_exp.errors import DivergedError, InputError
from captcha_exp.evaluate.assess_model import assess_model
from captcha_exp.evaluate.trained_images import count_seen
from captcha_exp.experiment import Outcome, run_experiment
from captcha_exp.experiment.checkpoint_folder import hold_checkpoint
from captcha_exp.experiment.run_artifacts import origin_accuracies
from captcha_exp.model.evaluator import Evaluation
from captcha_exp.tracking import Store, load_recogniser, open_store

Compose = Callable[..., Config]
# Two digits on small images: an epoch is a matter of a second.
SMALL = (
    "dataset.size=600", "dataset.min_length=2", "dataset.max_length=2", "dataset.image_height=32",
    "dataset.image_width=48", "dataset.validation_fraction=0.15", "augmentation=none", "transformer=none",
    "cnn.filters=[16,32,48]", "training.epochs=3",
)  # fmt: skip


def of_run(outcome: Outcome) -> EvaluationConfig:
    """Judge a run's model on the test split."""
    return EvaluationConfig(
        model=f"runs:/{outcome.run_id}/model",
        split=SplitName.test,
        robustness=True,
        robustness_images=20,
        resamples=200,
        seed=0,
    )


@dataclass
class StubTrial:
    """A trial that is pruned after the epochs it is given."""

    prune_after: int = 99
    name: str = "trial-0007"
    tags: dict[str, str] = field(default_factory=lambda: {"sweep": "attention", "trial": "7"})
    searched: dict[str, object] = field(default_factory=lambda: {"augmentation": "light"})
    parent_run_id: str | None = None
    reported: list[int] = field(default_factory=list)

    def report(self, epoch: int, metrics: dict[str, float]) -> bool:
        assert "val/sequence_accuracy" in metrics
        self.reported.append(epoch)
        return epoch + 1 >= self.prune_after


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("database")
    open_store(TrackingConfig(uri=None, experiment="unused", run_name=None, log_model=True, sheet_images=0), root)
    return root / "mlruns" / "mlflow.db"


@pytest.fixture(autouse=True)
def _made_before(empty_database: Path, tmp_path: Path) -> None:
    """Making a database takes MLflow seconds; copying an empty one does not."""
    (tmp_path / "mlruns").mkdir()
    shutil.copy(empty_database, tmp_path / "mlruns")


def silent(line: str) -> None:
    pass


def store_of(config: Config) -> Store:
    return open_store(config.tracking, config.root_path)


def artifacts_of(store: Store, run_id: str) -> list[str]:
    return sorted(artifact.path for artifact in store.client.list_artifacts(run_id))


def model_id_of(store: Store, run_id: str) -> str:
    return store.client.get_run(run_id).outputs.model_outputs[0].model_id


def history_of(store: Store, run_id: str, metric: str) -> list[tuple[int, float]]:
    return [(point.step, point.value) for point in store.client.get_metric_history(run_id, metric)]


@dataclass(frozen=True)
class Left:
    """What a run left at its end, before any test judged its model."""

    run: Run
    artifacts: list[str]
    checkpoints: list[Path]


@pytest.fixture(scope="module")
def trained_and_left(tmp_path_factory: pytest.TempPathFactory) -> tuple[tuple[Config, Outcome, list[str]], Left]:
    """One run that learns to read."""
    from hydra import compose, initialize_config_dir

    from captcha_exp.config import conf_dir, load_config

    root = tmp_path_factory.mktemp("trained")
    overrides = [f"root={root}", *SMALL, "training.epochs=12", "training.batch_size=16"]
    overrides += ["transformer=lstm", "transformer.projection_dim=32"]
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        config = load_config(compose("config", overrides))
    lines: list[str] = []
    outcome = run_experiment(config, report=lines.append)
    store = store_of(config)
    run, artifacts = store.client.get_run(outcome.run_id), artifacts_of(store, outcome.run_id)
    left = Left(run, artifacts, list((root / "outputs" / "checkpoints").iterdir()))
    return (config, outcome, lines), left


@pytest.fixture(scope="module")
def trained(trained_and_left: tuple[tuple[Config, Outcome, list[str]], Left]) -> tuple[Config, Outcome, list[str]]:
    return trained_and_left[0]


@pytest.fixture(scope="module")
def left(trained_and_left: tuple[tuple[Config, Outcome, list[str]], Left]) -> Left:
    return trained_and_left[1]


def test_a_run_reads_what_it_was_trained_on_and_says_so(trained: tuple[Config, Outcome, list[str]]) -> None:
    _, outcome, lines = trained
    assert (outcome.state, outcome.reason) == ("finished", None)
    assert outcome.metrics["best/val/sequence_accuracy"] > 0.1
    assert sum(line.startswith("epoch ") for line in lines) == 12
    assert lines[-1].startswith("finished: mlflow ui --backend-store-uri sqlite:///")


def test_the_store_has_all_that_was_promised(trained: tuple[Config, Outcome, list[str]], left: Left) -> None:
    config, outcome, _ = trained
    store, run = store_of(config), left.run
    assert run.info.run_name == "compact-lstm"
    assert run.data.tags["outcome"] == "finished"
    assert len(run.data.tags["dataset.fingerprint"]) >= 16
    every_epoch = {"train/ctc_loss", "learning_rate", "images_per_second"}
    judged = {"ctc_loss", "sequence_accuracy", "sequence_accuracy_ignore_case", "character_error_rate"}
    once = {f"best/val/{name}" for name in judged} | {"best/epoch", "model/parameters", "latency_ms"}
    once |= {f"seconds/{stage}" for stage in ("data", "import", "build", "fit", "latency", "log")}
    assert set(run.data.metrics) == every_epoch | {f"val/{name}" for name in judged} | once
    assert set(outcome.metrics) == once
    history = history_of(store, outcome.run_id, "val/sequence_accuracy")
    assert [step for step, _ in history] == list(range(1, 13))
    assert dict(history)[int(outcome.metrics["best/epoch"])] == outcome.metrics["best/val/sequence_accuracy"]
    assert run.data.params["dataset.max_length"] == "2"
    assert len(run.outputs.model_outputs) == 1
    contexts = {entry.tags[0].value for entry in run.inputs.dataset_inputs}
    assert contexts == {"training", "validation", "test"}
    assert left.artifacts == [
        "config.yaml", "environment.json", "learning_curves.png", "validation.csv",
        "validation_confusion.png", "validation_sheet.png",
    ]  # fmt: skip


def test_what_tracking_says_is_what_is_kept(compose: Compose) -> None:
    keep = ["tracking.run_name=mine", "tracking.experiment=own", "tracking.log_model=false", "tracking.sheet_images=0"]
    config = compose(*SMALL, "dataset.size=40", "training.epochs=1", "dataset.validation_fraction=0.3", *keep)
    outcome = run_experiment(config, report=lambda line: None)
    store = store_of(config)
    run = store.client.get_run(outcome.run_id)
    assert run.info.run_name == "mine"
    assert store.client.get_experiment(run.info.experiment_id).name == "own"
    assert not run.outputs.model_outputs
    artifacts = artifacts_of(store, outcome.run_id)
    assert "validation.csv" in artifacts and "validation_sheet.png" not in artifacts


def validation_table(config: Config, outcome: Outcome) -> list[dict[str, str]]:
    path = store_of(config).client.download_artifacts(outcome.run_id, "validation.csv")
    return list(csv.DictReader(Path(path).read_text().splitlines()))


def test_the_table_of_predictions_agrees_with_the_metric(trained: tuple[Config, Outcome, list[str]]) -> None:
    config, outcome, _ = trained
    rows = validation_table(config, outcome)
    assert list(rows[0]) == ["name", "origin", "label", "prediction", "confidence", "correct"]
    right = [row["label"] == row["prediction"] for row in rows]
    assert [row["correct"] for row in rows] == [str(int(value)) for value in right]
    assert sum(right) / len(right) == outcome.metrics["best/val/sequence_accuracy"]
    assert all(0 <= float(row["confidence"]) <= 1 for row in rows)


def test_nothing_is_left_to_resume(left: Left) -> None:
    assert left.checkpoints == []


def run_elsewhere(program: str, folder: Path, *arguments: str) -> dict[str, Any]:
    """What a fresh process, started in an empty folder, prints as JSON."""
    folder.mkdir()
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_fresh_process_without_conf_reads_with_exactly_the_logged_accuracy(
    trained: tuple[Config, Outcome, list[str]], tmp_path: Path
) -> None:
    config, outcome, _ = trained
    program = """
import json, sys
from pathlib import Path
from captcha_exp.config import load_config
from captcha_exp.dataset import prepare_dataset
from captcha_exp.tracking import load_recogniser
recogniser = load_recogniser(f"runs:/{sys.argv[1]}/model", sys.argv[2])
from captcha_exp.model.evaluator import evaluate
config = load_config(recogniser.config)  # the model brings its configuration along
split = prepare_dataset(config.dataset, Path(sys.argv[3])).validation
images, labels = split.images, split.labels
read = evaluate(recogniser.model, images, labels, recogniser.characters, config.decoding.search_width, 32)
print(json.dumps({**read.metrics, "predictions": read.predictions}))
"""
    metrics = run_elsewhere(program, tmp_path / "empty", outcome.run_id, store_of(config).uri, str(config.root_path))
    for name in ("sequence_accuracy", "sequence_accuracy_ignore_case", "character_error_rate"):
        assert metrics[name] == outcome.metrics[f"best/val/{name}"]
    assert metrics["ctc_loss"] == pytest.approx(outcome.metrics["best/val/ctc_loss"], rel=1e-5)
    rows = validation_table(config, outcome)
    assert metrics["predictions"] == [row["prediction"] for row in rows]


def test_keras_and_mlflow_alone_read_with_exactly_the_logged_accuracy(
    trained: tuple[Config, Outcome, list[str]], tmp_path: Path
) -> None:
    """The decoding and preprocessing here follow the model's own description, without this package."""
    import numpy as np

    from captcha_exp.dataset import prepare_dataset

    config, outcome, _ = trained
    split = prepare_dataset(config.dataset, config.root_path, silent).validation
    np.savez(tmp_path / "split.npz", images=split.images, labels=np.array(split.labels))
    program = """
import json, sys
sys.modules["captcha_exp"] = None  # whoever imports it now fails
import mlflow, numpy as np
mlflow.set_tracking_uri(sys.argv[2])
model = mlflow.keras.load_model(f"runs:/{sys.argv[1]}/model")
described = mlflow.models.get_model_info(f"runs:/{sys.argv[1]}/model")
assert described.signature.inputs.inputs[0].shape == (-1, 32, 48, 1), described.signature
split = np.load(sys.argv[3])
probabilities = model.predict((split["images"] / np.float32(255))[..., None], verbose=0)
right = 0
for classes, label in zip(probabilities.argmax(-1), split["labels"]):
    new = np.append(True, classes[1:] != classes[:-1])
    text = "".join(described.metadata["characters"][i - 1] for i in classes[new] if i)
    right += text == label
print(json.dumps({"accuracy": right / len(split["labels"])}))
"""
    uri = store_of(config).uri
    found = run_elsewhere(program, tmp_path / "empty", outcome.run_id, uri, str(tmp_path / "split.npz"))
    assert found == {"accuracy": outcome.metrics["best/val/sequence_accuracy"]}


def test_a_model_is_judged_on_the_test_split_and_that_is_logged(trained: tuple[Config, Outcome, list[str]]) -> None:
    config, outcome, _ = trained
    lines = list(assess_model(of_run(outcome), config))
    store = store_of(config)
    logged = store.client.get_run(outcome.run_id).data.metrics
    shown = f"sequence_accuracy             {logged['test/sequence_accuracy']:.4f}  95 % Wilson: "
    assert any(line.startswith(shown) for line in lines)
    assert logged["test/sequence_accuracy/low"] < logged["test/sequence_accuracy"]
    assert logged["test/robustness/mean"] <= 1
    model = store.client.get_logged_model(model_id_of(store, outcome.run_id))
    tied = {metric.key: metric.dataset_name for metric in model.metrics}
    assert tied["test/sequence_accuracy"] == "synthetic/test"
    pictures = {f"test_{name}.png" for name in ("sheet", "confusion", "reliability", "coverage", "parts", "robustness")}
    assert pictures | {"test.csv", "test_evaluation.json"} <= set(artifacts_of(store, outcome.run_id))
    folder = store.client.download_artifacts(outcome.run_id, "test_evaluation.json")
    told = json.loads(Path(folder).read_text())
    assert told["metrics"]["sequence_accuracy"] == logged["test/sequence_accuracy"]
    assert sum(part["total"] for part in told["parts"]["length"]) == told["images"] == 60
    assert told["selective"]["curve"][-1]["accuracy"] == told["metrics"]["sequence_accuracy"]


def test_a_model_on_disk_is_judged_on_other_data_in_a_run_of_its_own(
    trained: tuple[Config, Outcome, list[str]],
) -> None:
    config, outcome, _ = trained
    store = store_of(config)
    model = store.client.get_logged_model(model_id_of(store, outcome.run_id))
    folder = model.artifact_location.removeprefix("file://")
    other = config.model_copy(update={"dataset": config.dataset.model_copy(update={"seed": 9, "size": 100})})
    lines = list(assess_model(of_run(outcome).model_copy(update={"model": folder, "robustness": False}), other))
    assert lines[0] == "10 images of synthetic/test"
    (run,) = store.search("tags.kind = 'evaluation'")
    assert run.data.tags["model.id"] == model.model_id
    assert run.data.metrics["test/sequence_accuracy"] <= 1
    assert not any(name.startswith("test/robustness") for name in run.data.metrics)


def test_only_the_test_split_gives_test_metrics(trained: tuple[Config, Outcome, list[str]]) -> None:
    config, outcome, _ = trained
    store = store_of(config)
    before = store.client.get_run(outcome.run_id).data.metrics
    lines = list(
        assess_model(of_run(outcome).model_copy(update={"split": SplitName.validation, "robustness": False}), config)
    )
    assert store.client.get_run(outcome.run_id).data.metrics == before
    shown = f"sequence_accuracy             {before['best/val/sequence_accuracy']:.4f}"
    assert any(line.startswith(shown) for line in lines)


def test_images_that_a_model_was_trained_on_are_no_test(trained: tuple[Config, Outcome, list[str]]) -> None:
    """More of the same rendered images are another dataset, but most of them were seen."""
    config, outcome, _ = trained
    more = config.model_copy(update={"dataset": config.dataset.model_copy(update={"size": 700, "split_seed": 1})})
    with pytest.raises(
        InputError, match=r"\d+ of the \d+ images of split=test are among those that the model was trained"
    ):
        list(assess_model(of_run(outcome), more))


def test_another_division_of_the_same_data_is_no_test(trained: tuple[Config, Outcome, list[str]]) -> None:
    config, outcome, _ = trained
    divided = config.model_copy(update={"dataset": config.dataset.model_copy(update={"split_seed": 5})})
    with pytest.raises(
        InputError, match=r"dataset\.split_seed is 5, but 0 when the model was trained on the same data"
    ):
        list(assess_model(of_run(outcome), divided))


def test_the_command_needs_a_model(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "captcha_exp.evaluate", f"root={tmp_path}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "error: model is missing; set `model=...`.\n"


def test_a_run_can_start_from_a_trained_model_with_another_alphabet(
    trained: tuple[Config, Outcome, list[str]],
) -> None:
    config, outcome, _ = trained
    store = store_of(config)
    start = config.training.model_copy(update={"initial_model": f"runs:/{outcome.run_id}/model", "epochs": 3})
    letters = config.dataset.model_copy(update={"characters": "0123456789ab", "size": 400})
    lines: list[str] = []
    tuned = run_experiment(config.model_copy(update={"dataset": letters, "training": start}), report=lines.append)
    model_id = model_id_of(store, outcome.run_id)
    assert f"starts from the weights of models:/{model_id}" in lines
    assert store.client.get_run(tuned.run_id).data.tags["initial_model"] == f"models:/{model_id}"
    first_loss = dict(history_of(store, outcome.run_id, "val/ctc_loss"))[3]
    assert dict(history_of(store, tuned.run_id, "val/ctc_loss"))[3] < first_loss
    known = load_recogniser(f"runs:/{tuned.run_id}/model", store.uri)
    first = prepare_dataset(config.dataset, config.root_path, lines.append)
    own = prepare_dataset(letters, config.root_path, lines.append)
    assert count_seen(known, first.train.images) == len(first.train), "what the first model saw is seen"
    assert count_seen(known, own.train.images) == len(own.train)
    assert count_seen(known, first.test.images) == 0


def test_a_start_from_another_architecture_names_what_to_set(trained: tuple[Config, Outcome, list[str]]) -> None:
    config, outcome, _ = trained
    start = config.training.model_copy(update={"initial_model": f"runs:/{outcome.run_id}/model"})
    wider = config.model_copy(
        update={"training": start, "cnn": config.cnn.model_copy(update={"filters": [16, 32, 64]})}
    )
    expected = r"runs:/\w+/model is built otherwise: cnn\.filters differs\. Set cnn\.filters=\[16,32,48\]\."
    with pytest.raises(InputError, match=expected):
        run_experiment(wider, report=silent)


def test_each_origin_has_its_accuracy_where_there_are_several() -> None:
    def split_of(origins: list[str]) -> Split:
        return Split("validation", np.zeros((3, 4, 4), np.uint8), ["a", "b", "c"], ["1", "2", "3"], origins)

    evaluation = Evaluation({}, ["a", "b", "c"], ["a", "x", "c"], [1.0, 1.0, 1.0])
    assert origin_accuracies(split_of(["one", "two", "two"]), evaluation) == {
        "best/val/sequence_accuracy/one": 1.0,
        "best/val/sequence_accuracy/two": 0.5,
    }
    assert origin_accuracies(split_of(["one", "one", "one"]), evaluation) == {}


def test_an_interrupted_run_goes_on_as_the_same_run_with_the_same_numbers(compose: Compose, tmp_path: Path) -> None:
    def interrupt(line: str) -> None:
        if line.startswith("epoch 2/3"):
            raise KeyboardInterrupt

    config = compose(*SMALL)
    with pytest.raises(KeyboardInterrupt):
        run_experiment(config, report=interrupt)
    store = store_of(config)
    interrupted = store.search("")[0]
    assert interrupted.info.status == "KILLED"
    lines: list[str] = []
    resumed = run_experiment(config, report=lines.append)
    assert resumed.run_id == interrupted.info.run_id
    assert f"continuing the interrupted run {resumed.run_id}" in lines
    again = run_experiment(config, report=silent)
    assert again.run_id != resumed.run_id
    for metric in ("train/ctc_loss", "val/ctc_loss", "val/sequence_accuracy", "learning_rate"):
        history = history_of(store, resumed.run_id, metric)
        assert [step for step, _ in history] == [1, 2, 3]
        assert history == history_of(store, again.run_id, metric)
    best = {name for name in again.metrics if name.startswith("best/")}
    assert {name: resumed.metrics[name] for name in best} == {name: again.metrics[name] for name in best}


def test_a_pruned_trial_is_a_child_without_a_model(compose: Compose) -> None:
    config = compose(*SMALL)
    store = store_of(config)
    parent = store.start_run("attention", {})
    trial = StubTrial(prune_after=2, parent_run_id=parent.run_id)
    outcome = run_experiment(config, trial=trial, report=silent)
    assert (outcome.state, outcome.reason) == ("pruned", "pruned after epoch 2")
    assert trial.reported == [0, 1]
    (child,) = store.children(parent.run_id)
    assert (child.info.run_name, child.info.status) == ("trial-0007", "FINISHED")
    assert child.data.tags["outcome"] == "pruned"
    assert (child.data.tags["sweep"], child.data.tags["trial"]) == ("attention", "7")
    assert artifacts_of(store, child.info.run_id) == ["config.yaml", "environment.json", "learning_curves.png"]
    assert "best/val/sequence_accuracy" in child.data.metrics
    assert not any((config.root_path / "outputs" / "checkpoints").iterdir())


def test_a_run_that_diverges_is_recorded_as_failed(compose: Compose) -> None:
    config = compose(*SMALL, "optimizer.learning_rate=1e30", "optimizer.clip_norm=null", "optimizer.warmup_share=0")
    with pytest.raises(DivergedError):
        run_experiment(config, trial=StubTrial(), report=silent)
    (run,) = store_of(config).search("")
    assert (run.info.status, run.data.tags["outcome"]) == ("FAILED", "failed")
    assert run.data.tags["reason"].startswith("DivergedError: ")
    assert not any((config.root_path / "outputs" / "checkpoints").iterdir())


def test_data_that_cannot_be_used_is_told_to_the_sweep_but_leaves_no_run_of_its_own(
    compose: Compose, tmp_path: Path
) -> None:
    config = compose("dataset=folder", f"dataset.path={tmp_path / 'nowhere'}")
    with pytest.raises(InputError, match="nowhere"):
        run_experiment(config, report=silent)
    assert store_of(config).search("") == []
    with pytest.raises(InputError, match="nowhere"):
        run_experiment(config, trial=StubTrial(), report=silent)
    (run,) = store_of(config).search("")
    assert run.data.tags["outcome"] == "failed"
    assert "nowhere" in run.data.tags["reason"]


def test_two_equal_runs_at_once_do_not_share_their_state(compose: Compose) -> None:
    config = compose(*SMALL)
    with hold_checkpoint(config, "f00d") as first, hold_checkpoint(config, "f00d") as second:
        assert first.path is not None
        assert second.path is None
        second.keep_run_id("x")
        assert second.run_id is None
    with hold_checkpoint(config, "f00d") as third:
        assert third.path == first.path


def test_a_run_is_resumed_by_what_it_computes_not_by_where(compose: Compose) -> None:
    config = compose(*SMALL)
    elsewhere = config.model_copy(
        update={
            "tracking": config.tracking.model_copy(update={"run_name": "another"}),
            "training": config.training.model_copy(update={"threads": 2}),
        }
    )
    different = config.model_copy(update={"training": config.training.model_copy(update={"seed": 1})})
    folders = []
    for other, fingerprint in ((config, "a"), (elsewhere, "a"), (different, "a"), (config, "b")):
        with hold_checkpoint(other, fingerprint) as held:
            folders.append(held.path)
    assert folders[0] == folders[1]
    assert len(set(folders)) == 3


def test_resume_false_begins_anew(compose: Compose) -> None:
    config = compose(*SMALL)
    with hold_checkpoint(config, "a") as held:
        held.keep_run_id("earlier")
    with hold_checkpoint(config, "a") as held:
        assert held.run_id == "earlier"
    with hold_checkpoint(compose(*SMALL, "training.resume=false"), "a") as held:
        assert held.run_id is None


def test_a_checkpoint_folder_that_cannot_be_written_is_named(compose: Compose, tmp_path: Path) -> None:
    (tmp_path / "outputs").write_text("in the way")
    message = f"^Cannot write {tmp_path / 'outputs'}.*choose another `root=DIR`"
    with pytest.raises(InputError, match=message), hold_checkpoint(compose(*SMALL), "a"):
        pass

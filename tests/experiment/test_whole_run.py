"""A run from its configuration to what it leaves in the tracking store."""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from captcha_exp.config import Config
from captcha_exp.dataset import prepare_dataset
from captcha_exp.errors import DivergedError, InputError
from captcha_exp.experiment import Outcome, run_experiment
from captcha_exp.metrics.few_images import few_images
from captcha_exp.model.evaluator import evaluate
from captcha_exp.tracking import load_recogniser, open_keeping_store
from hydra_plugins.captcha_exp_sweeper.sweeper import CaptchaExpSweeper
from tests.trained_run import SMALL, Left, artifacts_of, history_of, store_of

Compose = Callable[..., Config]


@dataclass
class StubTrial:
    """A trial that is pruned after the epochs it is given."""

    prune_after: int = 99
    name: str = "trial-0007"
    tags: dict[str, str] = field(default_factory=lambda: {"sweep": "attention", "trial": "7"})
    searched: dict[str, object] = field(default_factory=lambda: {"augmentation": "light"})
    parent_run_id: str | None = None
    reported: list[int] = field(default_factory=list)

    pause = None
    repeats = None

    def report(self, epoch: int, metrics: dict[str, float]) -> bool:
        assert "val/sequence_accuracy" in metrics
        self.reported.append(epoch)
        return epoch + 1 >= self.prune_after


def test_a_run_reads_what_it_was_trained_on_and_says_so(trained: tuple[Config, Outcome, list[str]]) -> None:
    _, outcome, lines = trained
    assert (outcome.state, outcome.reason) == ("finished", None)
    assert outcome.metrics["best/val/sequence_accuracy"] > 0.1
    assert sum(line.startswith("epoch ") for line in lines) == 12
    assert [line for line in lines if line.startswith("decoding:")] == [
        "decoding: all 450 training labels are texts of 2 characters; other texts are not read "
        "(decoding.knowledge=none turns this off)"
    ]
    assert [line for line in lines if " validation images: " in line] == [
        few_images(90, "validation", rendered=True, random_start=True)
    ]
    assert lines[-1].startswith("finished: mlflow ui --backend-store-uri sqlite:///")


def test_the_store_has_all_that_was_promised(trained: tuple[Config, Outcome, list[str]], left: Left) -> None:
    config, outcome, _ = trained
    store, run = store_of(config), left.run
    assert run.info.run_name == "compact-lstm"
    assert run.data.tags["outcome"] == "finished"
    assert len(run.data.tags["dataset.fingerprint"]) >= 16
    every_epoch = {"train/ctc_loss", "learning_rate", "images_per_second"}
    judged = {"ctc_loss", "sequence_accuracy", "sequence_accuracy_ignore_case", "character_error_rate"}
    judged |= {"length_error_rate"}
    once = {f"best/val/{name}" for name in judged} | {"best/epoch", "model/parameters", "training/steps", "latency_ms"}
    once |= {f"seconds/{stage}" for stage in ("data", "import", "build", "fit", "latency", "log")}
    assert set(run.data.metrics) == every_epoch | {f"val/{name}" for name in judged} | once
    assert set(outcome.metrics) == once
    history = history_of(store, outcome.run_id, "val/sequence_accuracy")
    assert [step for step, _ in history] == list(range(1, 13))
    assert dict(history)[int(outcome.metrics["best/epoch"])] == outcome.metrics["best/val/sequence_accuracy"]
    assert run.data.params["dataset.max_length"] == "2"
    described = run.data.tags["mlflow.note.content"]
    assert described.startswith("A training on 450 images of synthetic.") and "The 90 validation images" in described
    assert f"`captcha-exp evaluate model=runs:/{outcome.run_id}/model`" in described
    assert len(run.outputs.model_outputs) == 1
    contexts = {entry.tags[0].value for entry in run.inputs.dataset_inputs}
    assert contexts == {"training", "validation", "test"}
    assert left.artifacts == [
        "config.yaml", "environment.json", "learning_curves.png", "validation.csv",
        "validation_confusion.png", "validation_sheet.png",
    ]  # fmt: skip


def test_what_tracking_says_is_what_is_kept(compose: Compose, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "0.1")
    keep = ["tracking.run_name=mine", "tracking.experiment=own", "tracking.log_model=false", "tracking.sheet_images=0"]
    keep += ["tracking.system_metrics=true"]
    config = compose(*SMALL, "dataset.size=40", "training.epochs=1", "dataset.validation_fraction=0.3", *keep)
    outcome = run_experiment(config)
    store = store_of(config)
    run = store.client.get_run(outcome.run_id)
    assert run.info.run_name == "mine"
    assert store.client.get_experiment(run.info.experiment_id).name == "own"
    assert not run.outputs.model_outputs
    assert {"system/cpu_utilization_percentage", "system/system_memory_usage_megabytes"} <= set(run.data.metrics)
    artifacts = artifacts_of(store, outcome.run_id)
    assert "validation.csv" in artifacts and "validation_sheet.png" not in artifacts


def test_without_psutil_one_line_says_what_system_metrics_need(
    compose: Compose, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psutil", None)
    config = compose(*SMALL, "tracking.system_metrics=true")
    with pytest.raises(InputError, match=r"^tracking\.system_metrics=true needs psutil: pip install 'captcha-exp\[sys"):
        open_keeping_store(config.tracking, config.root_path, wait=False)


def test_the_finished_model_reads_several_views(compose: Compose, told: list[str]) -> None:
    short = ("dataset.size=60", "dataset.validation_fraction=0.3", "training.epochs=1")
    config = compose(*SMALL, *short, "training.views=3")
    outcome = run_experiment(config)
    (line,) = [line for line in told if line.startswith("3 views: ")]
    assert line.endswith("% of the validation texts right; one view: 0.00%")
    recogniser = load_recogniser(f"runs:/{outcome.run_id}/model", store_of(config).uri)
    one = prepare_dataset(config.dataset, config.root_path).validation
    loss = evaluate(recogniser.model, one.images, one.labels, recogniser.decoder, 32).metrics["ctc_loss"]
    assert outcome.metrics["best/val/ctc_loss"] == pytest.approx(loss, rel=1e-4)
    assert any(layer.name == "views" for layer in recogniser.model.layers)


def test_a_run_of_some_minutes_tells_how_many_are_spent(compose: Compose, told: list[str]) -> None:
    short = ["dataset.size=40", "dataset.validation_fraction=0.3", "tracking.log_model=false"]
    outcome = run_experiment(compose(*SMALL, *short, "training.epochs=null", "training.minutes=0.001"))
    epochs = [line for line in told if line.startswith("epoch ")]
    assert len(epochs) == 1
    assert re.match(r"epoch 1, \d+\.\d/0\.001 min  loss ", epochs[0])
    assert outcome.state == "finished"


def test_nothing_is_left_to_resume(left: Left) -> None:
    assert left.checkpoints == []


def test_a_pruned_trial_is_a_child_without_a_model(compose: Compose) -> None:
    config = compose(*SMALL)
    store = store_of(config)
    parent = store.start_run("attention", {})
    trial = StubTrial(prune_after=2, parent_run_id=parent.run_id)
    outcome = run_experiment(config, trial=trial)
    assert (outcome.state, outcome.reason) == ("pruned", "pruned after epoch 2")
    assert trial.reported == [0, 1]
    (child,) = store.children(parent.run_id)
    assert (child.info.run_name, child.info.status) == ("trial-0007", "KILLED")
    assert child.data.tags["outcome"] == "pruned"
    assert (child.data.tags["sweep"], child.data.tags["trial"]) == ("attention", "7")
    assert artifacts_of(store, child.info.run_id) == ["config.yaml", "environment.json", "learning_curves.png"]
    assert "best/val/sequence_accuracy" in child.data.metrics
    assert not any((config.root_path / "outputs" / "checkpoints").iterdir())


def test_a_sweep_says_once_that_its_validation_images_are_few_and_its_trials_do_not(
    compose: Compose, told: list[str]
) -> None:
    config = compose(*SMALL, "dataset.size=300", "training.epochs=1")
    plan = SimpleNamespace(config=config, space=SimpleNamespace(parameters=[]))
    CaptchaExpSweeper().prepare_data(plan)  # type: ignore[arg-type]  # all that it looks at
    warned = few_images(45, "validation", rendered=True, random_start=True)
    assert told.count(str(warned)) == 1
    run_experiment(config, trial=StubTrial())
    assert told.count(str(warned)) == 1


def test_a_run_that_diverges_is_recorded_as_failed(compose: Compose) -> None:
    config = compose(*SMALL, "optimizer.learning_rate=1e30", "optimizer.clip_norm=null", "optimizer.warmup_share=0")
    with pytest.raises(DivergedError):
        run_experiment(config, trial=StubTrial())
    (run,) = store_of(config).search("")
    assert (run.info.status, run.data.tags["outcome"]) == ("FAILED", "failed")
    assert run.data.tags["reason"].startswith("DivergedError: ")
    assert not any((config.root_path / "outputs" / "checkpoints").iterdir())


def test_data_that_cannot_be_used_is_told_to_the_sweep_but_leaves_no_run_of_its_own(
    compose: Compose, tmp_path: Path
) -> None:
    config = compose("dataset=folder", f"dataset.path={tmp_path / 'nowhere'}")
    with pytest.raises(InputError, match="nowhere"):
        run_experiment(config)
    assert store_of(config).search("") == []
    with pytest.raises(InputError, match="nowhere"):
        run_experiment(config, trial=StubTrial())
    (run,) = store_of(config).search("")
    assert run.data.tags["outcome"] == "failed"
    assert "nowhere" in run.data.tags["reason"]
